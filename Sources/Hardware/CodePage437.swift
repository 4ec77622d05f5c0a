/// Code page 437, the character set in the ROM of PC display adapters.
///
/// Source: Unicode Consortium, CP437.TXT; for 0x00–0x1F and 0x7F, which display as symbols, IBM's glyph names.
public enum CodePage437 {
    /// The character that the display shows for `byte`; byte 0 is blank.
    public static func character(_ byte: UInt8) -> Character { table[Int(byte)] }

    private static let table: [Character] = {
        let symbols = " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
        let ascii = String(decoding: UInt8(0x20)...0x7E, as: UTF8.self) + "⌂"
        let letters = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»"
        let blocks = "░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
        let mathematics = "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}"
        return Array(symbols + ascii + letters + blocks + mathematics)
    }()
}
