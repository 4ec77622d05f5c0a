/// Where the ACPI hardware is and what its fields mean, for whoever builds the tables that tell the guest.
public enum ACPIPorts {
    /// PM1a_EVT_BLK: status at +0, enable at +2; 4 bytes.
    public static let pm1aEvent: UInt16 = 0x600
    public static let pm1aEventLength: UInt8 = 4
    /// PM1a_CNT_BLK, 2 bytes.
    public static let pm1aControl: UInt16 = 0x604
    public static let pm1aControlLength: UInt8 = 2
    /// PM_TMR_BLK, 4 bytes: a 24-bit counter, so the FADT's TMR_VAL_EXT flag is clear.
    public static let pmTimer: UInt16 = 0x608
    public static let pmTimerLength: UInt8 = 4
    /// SMI_CMD and the values to write there.
    public static let smiCommand: UInt16 = 0xB2
    public static let acpiEnable: UInt8 = 0xF1
    public static let acpiDisable: UInt8 = 0xF0
    /// RESET_REG and RESET_VALUE.
    public static let reset: UInt16 = 0xCF9
    public static let resetValue: UInt8 = 0x06
    /// SCI_INT: an ISA interrupt, level-triggered, active high at the interrupt controller.
    public static let sciInterrupt = 9
    /// SLP_TYPa of `\_S5`; other sleep states do not exist.
    public static let s5SleepType: UInt8 = 5
}
