import Glibc

/// Runs `body` with `path` as a C string. A path with a NUL byte in it is cut there by the kernel's own rule, so callers refuse
/// such names where they come in; this asserts it.
@inlinable
public func withCPath<Value: ~Copyable, Failure: Error>(
    _ path: some Collection<UInt8>, _ body: (UnsafePointer<CChar>) throws(Failure) -> Value
) throws(Failure) -> Value {
    // A typed throw does not pass through the closure of the temporary allocation, so the outcome is carried out by hand.
    var outcome: Result<Value, Failure>? = nil
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: path.count + 1) { buffer in
        // Nearly every path is in one piece; byte by byte, each would be a call where the compiler knows no better.
        var count = 0
        let isCopied: Void? = path.withContiguousStorageIfAvailable { bytes in
            UnsafeMutableRawBufferPointer(buffer).copyMemory(from: UnsafeRawBufferPointer(bytes))
            count = bytes.count
        }
        if isCopied == nil {
            for byte in path {
                buffer[count] = CChar(bitPattern: byte)
                count += 1
            }
        }
        buffer[count] = 0
        do throws(Failure) {
            outcome = .success(try body(UnsafePointer(buffer.baseAddress!)))
        } catch {
            outcome = .failure(error)
        }
    }
    return try outcome.take()!.get()
}

/// A foreign name for people: escapes what is not printable, so that a terminal can't be driven by it.
public func printable(_ name: some Collection<UInt8>) -> String {
    let text = String(decoding: name, as: UTF8.self)
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
            result += "\\u{\(String(scalar.value, radix: 16))}"
        default:
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}
