extension BinaryInteger {
    /// For people: 1234567 as "1,234,567".
    package var grouped: String {
        let digits = Array(String(magnitude))
        let text = digits.enumerated().map { index, digit in
            index > 0 && (digits.count - index) % 3 == 0 ? ",\(digit)" : String(digit)
        }.joined()
        return (self < 0 ? "-" : "") + text
    }
}
