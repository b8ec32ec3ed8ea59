/// One instruction of classic BPF: `struct sock_filter`.
public struct BPFInstruction: Hashable, Sendable {
    public var code: UInt16
    public var ifTrue: UInt8
    public var ifFalse: UInt8
    public var k: UInt32

    /// The most that the kernel takes in one program: BPF_MAXINSNS.
    public static let limit = 4096
}

/// The few operations a seccomp filter needs: include/uapi/linux/bpf_common.h
enum BPF {
    static let loadWord: UInt16 = 0x20
    static let and: UInt16 = 0x54
    static let jump: UInt16 = 0x05
    static let ifEqual: UInt16 = 0x15
    static let ifGreater: UInt16 = 0x25
    static let ifGreaterOrEqual: UInt16 = 0x35
    static let `return`: UInt16 = 0x06

    /// Offsets in `struct seccomp_data`.
    static let numberOffset: UInt32 = 0
    static let architectureOffset: UInt32 = 4
    static func lowOffset(_ argument: Int) -> UInt32 { 16 + 8 * UInt32(argument) }
    static func highOffset(_ argument: Int) -> UInt32 { lowOffset(argument) + 4 }
}

/// Writes a program from its end to its start.
///
/// BPF jumps only forwards, so whatever an instruction can reach is already there, at a known distance: no second pass.
/// A conditional jump reaches 255 instructions; what is farther gets a plain jump in between.
struct BackwardAssembler {
    /// An instruction, counted from the program's end.
    typealias Label = Int

    private var reversed: [BPFInstruction] = []

    var instructions: [BPFInstruction] { reversed.reversed() }
    var count: Int { reversed.count }

    /// Puts an instruction in front of all others.
    @discardableResult
    mutating func emit(_ code: UInt16, _ k: UInt32) -> Label {
        reversed.append(BPFInstruction(code: code, ifTrue: 0, ifFalse: 0, k: k))
        return reversed.count - 1
    }

    /// Puts `code k` in front of what goes on at `next`.
    mutating func emit(_ code: UInt16, _ k: UInt32, then next: Label) -> Label {
        if next != reversed.count - 1 { jump(to: next) }
        return emit(code, k)
    }

    mutating func branch(
        _ code: UInt16, _ k: UInt32, ifTrue: Label, ifFalse: Label
    ) -> Label {
        if ifTrue == ifFalse { return ifTrue }
        var ifTrue = ifTrue
        var ifFalse = ifFalse
        while true {
            if distance(to: ifTrue) > UInt8.max {
                ifTrue = jump(to: ifTrue)
            } else if distance(to: ifFalse) > UInt8.max {
                ifFalse = jump(to: ifFalse)
            } else {
                break
            }
        }
        reversed.append(
            BPFInstruction(
                code: code, ifTrue: UInt8(distance(to: ifTrue)),
                ifFalse: UInt8(distance(to: ifFalse)), k: k))
        return reversed.count - 1
    }

    @discardableResult
    private mutating func jump(to label: Label) -> Label {
        emit(BPF.jump, UInt32(distance(to: label)))
    }

    /// How many instructions the next one to be emitted skips on its way to `label`.
    private func distance(to label: Label) -> Int { reversed.count - 1 - label }
}
