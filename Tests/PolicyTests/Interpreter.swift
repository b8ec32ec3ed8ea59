import Policy

/// Runs a compiled program on a call, as the kernel would: classic BPF from the definition, nothing of the compiler's.
struct Interpreter {
    enum Failure: Error, Equatable {
        case ranOffTheEnd
        case unknownInstruction(UInt16)
        case badLoad(UInt32)
    }

    struct Answer: Equatable {
        var value: UInt32
        /// Whether an argument was loaded: then the kernel can't answer from its bitmap.
        var readArguments: Bool
        var steps: Int
    }

    let instructions: [BPFInstruction]

    init(_ program: SeccompProgram) { instructions = program.instructions }

    func answer(to call: SystemCall) throws -> Answer {
        var accumulator: UInt32 = 0
        var position = 0
        var readArguments = false
        for step in 1...instructions.count {
            guard instructions.indices.contains(position) else { throw Failure.ranOffTheEnd }
            let instruction = instructions[position]
            position += 1
            let k = instruction.k
            func skip(if condition: Bool) -> Int {
                Int(condition ? instruction.ifTrue : instruction.ifFalse)
            }
            switch instruction.code {
            case 0x20:
                accumulator = try word(at: k, of: call)
                if k >= 16 { readArguments = true }
            case 0x54: accumulator &= k
            case 0x05: position += Int(k)
            case 0x15: position += skip(if: accumulator == k)
            case 0x25: position += skip(if: accumulator > k)
            case 0x35: position += skip(if: accumulator >= k)
            case 0x06: return Answer(value: k, readArguments: readArguments, steps: step)
            default: throw Failure.unknownInstruction(instruction.code)
            }
        }
        throw Failure.ranOffTheEnd
    }

    private func word(at offset: UInt32, of call: SystemCall) throws -> UInt32 {
        switch offset {
        case 0: return call.number
        case 4: return call.architecture
        case 16..<64 where offset % 4 == 0:
            let register = call.arguments[Int(offset - 16) / 8]
            return UInt32(truncatingIfNeeded: offset % 8 == 0 ? register : register >> 32)
        default: throw Failure.badLoad(offset)
        }
    }
}

/// What a filter may return, as the kernel's header spells it.
enum Returned {
    static let allow: UInt32 = 0x7FFF_0000
    static let notify: UInt32 = 0x7FC0_0000
    static let killProcess: UInt32 = 0x8000_0000
    static let killThread: UInt32 = 0
    static let eperm: UInt32 = 0x0005_0001
    static let enosys: UInt32 = 0x0005_0026
    static func errno(_ number: UInt32) -> UInt32 { 0x0005_0000 | number }
}
