import OracleKit
import Testing
