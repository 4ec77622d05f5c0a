/// What SSE arithmetic does, numbered as in the low four bits of opcodes 0F 51 to 0F 5F (SDM 2D table A-3).
enum SSEArithmetic: Int32 {
    case squareRoot = 0x1
    case reciprocalSquareRoot = 0x2
    case reciprocal = 0x3
    case add = 0x8
    case multiply = 0x9
    case subtract = 0xC
    case minimum = 0xD
    case divide = 0xE
    case maximum = 0xF

    /// The same operation of the x87 unit, for those whose results can overflow or underflow.
    var onX87: X87Arithmetic? {
        switch self {
        case .add: .add
        case .multiply: .multiply
        case .subtract: .subtract
        case .divide: .divide
        default: nil
        }
    }
}

/// The formats that arithmetic and comparison come in.
enum SSEFormat: Int32 {
    case packedSingle, packedDouble, scalarSingle, scalarDouble

    var isDouble: Bool { self == .packedDouble || self == .scalarDouble }
    var lanes: Int {
        switch self {
        case .packedSingle: 4
        case .packedDouble: 2
        case .scalarSingle, .scalarDouble: 1
        }
    }
}

/// Conversions of whole registers. The others are made of these.
enum SSEConversion: UInt32 {
    case int32ToSingle, singleToInt32, singleToInt32Truncating
    case int32ToDouble, doubleToInt32, doubleToInt32Truncating
    case singleToDouble, doubleToSingle
}
