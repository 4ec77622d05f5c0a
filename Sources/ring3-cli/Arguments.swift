import ArgumentParser
import Logging
import Ring3

// How the library's types are written on a command line.

extension Engine: ExpressibleByArgument {}
extension RunOptions.Display: ExpressibleByArgument {}
extension RunOptions.StatisticsFormat: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}

extension RunOptions.Channel: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }

    public var defaultValueDescription: String {
        switch self {
        case .stdio: "stdio"
        case .none: "none"
        case .file(let path): "file:\(path)"
        }
    }
}

extension RunOptions.Module: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
