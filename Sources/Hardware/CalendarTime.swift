/// A moment in the Gregorian calendar, UTC, as the fields of a clock.
struct CalendarTime: Equatable {
    var year: Int
    /// 1–12.
    var month: Int
    /// 1–31.
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int

    static let secondsPerDay = 86_400
    /// 1970-01-01 on this type's own scale, whose zero is 0000-03-01: early enough for any date a clock chip can show.
    static let unixEpoch = 719_468 * secondsPerDay

    /// Seconds since 0000-03-01. Fields beyond their range are counted on: February 30 is March 2, or 1.
    var seconds: Int {
        // Years begin in March here, so that the leap day comes last.
        let years = month > 2 ? year : year - 1
        let months = month > 2 ? month - 3 : month + 9
        let days = Self.days(beforeMarchOf: years) + Self.days(beforeMonth: months) + day - 1
        return ((days * 24 + hour) * 60 + minute) * 60 + second
    }

    /// - Parameter seconds: since 0000-03-01; not negative.
    init(seconds: Int) {
        let days = seconds / Self.secondsPerDay
        // 146,097 days in 400 years: the quotient is the year or the one before.
        var years = days * 400 / 146_097
        if Self.days(beforeMarchOf: years + 1) <= days { years += 1 }
        if Self.days(beforeMarchOf: years) > days { years -= 1 }
        let dayOfYear = days - Self.days(beforeMarchOf: years)
        let months = (dayOfYear * 5 + 2) / 153
        day = dayOfYear - Self.days(beforeMonth: months) + 1
        month = months < 10 ? months + 3 : months - 9
        year = months < 10 ? years : years + 1
        hour = seconds / 3600 % 24
        minute = seconds / 60 % 60
        second = seconds % 60
    }

    init(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// 1 (Sunday) – 7; 0000-03-01 was a Wednesday.
    var weekday: Int { (seconds / Self.secondsPerDay + 3) % 7 + 1 }

    private static func days(beforeMarchOf year: Int) -> Int { 365 * year + year / 4 - year / 100 + year / 400 }
    /// From March on, months of 31, 30, 31, 30, 31 days repeat: 153 days each time.
    private static func days(beforeMonth month: Int) -> Int { (153 * month + 2) / 5 }
}
