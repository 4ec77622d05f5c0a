#if arch(x86_64) || arch(i386)
    import CHost

    /// The arithmetic of the x87 unit, done by the host's own: exact by construction, transcendentals included.
    ///
    /// Every function returns a status word, to be merged with `X87.record`. Among its flags may be some that were not
    /// raised this time; those are masked and set in the guest's status word already.
    enum X87Unit {
        /// Clears the host's exception flags: before a run, and when the guest's may have been cleared.
        @inline(__always)
        static func settle() { ring3_x87_settle() }

        /// `a = a op b`. Comparisons leave `a` alone.
        @inline(__always)
        static func arithmetic(
            _ operation: X87Arithmetic, _ a: UnsafeMutablePointer<X87Register>, _ b: UnsafePointer<X87Register>,
            _ fpu: X87
        ) -> UInt16 {
            ring3_x87_arithmetic(operation.rawValue, a, b, fpu.pointee.control, fpu.staleFlags)
        }

        /// `a = a op image`, where `image` is the memory operand, in the low bytes of the register image.
        @inline(__always)
        static func arithmetic(
            _ operation: X87Arithmetic, _ a: UnsafeMutablePointer<X87Register>, _ format: X87Format,
            _ image: UInt64, _ fpu: X87
        ) -> UInt16 {
            var image = image
            let op = operation.rawValue
            let control = fpu.pointee.control
            let stale = fpu.staleFlags
            switch format {
            case .single: return ring3_x87_arithmetic_single(op, a, &image, control, stale)
            case .double: return ring3_x87_arithmetic_double(op, a, &image, control, stale)
            case .int16: return ring3_x87_arithmetic_int16(op, a, &image, control, stale)
            default: return ring3_x87_arithmetic_int32(op, a, &image, control, stale)
            }
        }

        /// The value of `image`, which holds a memory operand in its low bytes.
        @inline(__always)
        static func load(
            _ format: X87Format, _ image: X87Register, _ fpu: X87
        ) -> (value: X87Register, report: UInt16) {
            var image = image
            var value = X87Register()
            // An unmasked guest must not take flags of its own for new ones. Bit 6 is reserved: without it the word is not
            // the host's, whose flags may be any of the guest's.
            let isMasked = fpu.pointee.control & X87Status.exceptions == X87Status.exceptions
            let control = (fpu.pointee.control | X87Status.exceptions) & (isMasked ? .max : ~0x40)
            let stale = fpu.staleFlags
            let report =
                switch format {
                case .single: ring3_x87_load_single(&value, &image, control, stale)
                case .double: ring3_x87_load_double(&value, &image, control, stale)
                case .int16: ring3_x87_load_int16(&value, &image, control, stale)
                case .int32: ring3_x87_load_int32(&value, &image, control, stale)
                case .int64: ring3_x87_load_int64(&value, &image, control, stale)
                case .decimal: ring3_x87_load_bcd(&value, &image, control, stale)
                case .extended: 0 as UInt16
                }
            return (format == .extended ? image : value, report)
        }

        /// `value` in a memory format, in the low bytes of the image. Meaningless if an unmasked exception prevents the
        /// store.
        @inline(__always)
        static func store(
            _ format: X87Format, _ value: X87Register, _ fpu: X87
        ) -> (image: X87Register, report: UInt16) {
            var value = value
            var image = X87Register()
            let control = fpu.pointee.control
            let stale = fpu.staleFlags
            let report =
                switch format {
                case .single: ring3_x87_store_single(&value, &image, control, stale)
                case .double: ring3_x87_store_double(&value, &image, control, stale)
                case .int16: ring3_x87_store_int16(&value, &image, control, stale)
                case .int32: ring3_x87_store_int32(&value, &image, control, stale)
                case .int64: ring3_x87_store_int64(&value, &image, control, stale)
                case .decimal: ring3_x87_store_bcd(&value, &image, control, stale)
                case .extended: 0 as UInt16
                }
            return (format == .extended ? value : image, report)
        }

        /// One of the constants, rounded as the control word says.
        @inline(__always)
        static func constant(_ constant: X87Constant, _ fpu: X87) -> X87Register {
            var value = X87Register()
            _ = ring3_x87_constant(constant.rawValue, &value, fpu.pointee.control, fpu.staleFlags)
            return value
        }

        /// A function of `a` and possibly `b`. The result is in `a`; in `b` where the instruction pops; in both where it
        /// pushes, `b` being the new top.
        @inline(__always)
        static func function(
            _ function: X87Function, _ a: UnsafeMutablePointer<X87Register>, _ b: UnsafeMutablePointer<X87Register>,
            _ fpu: X87
        ) -> UInt16 {
            ring3_x87_function(function.rawValue, a, b, fpu.pointee.control, fpu.staleFlags)
        }
    }

    extension X87 {
        /// The exception flags that must be clear in the host before an operation: those that it would report falsely,
        /// being unmasked or not set in the guest.
        @inline(__always) fileprivate var staleFlags: UInt8 {
            UInt8(truncatingIfNeeded: (~pointee.status | ~pointee.control) & X87Status.exceptions)
        }
    }
#endif
