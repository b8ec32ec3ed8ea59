extension BackwardAssembler {
    /// All conditions, one after the other, as far as the first that is false.
    mutating func test(
        _ conditions: [TypedCondition], ifTrue: Label, ifFalse: Label
    ) -> Label {
        var next = ifTrue
        for condition in conditions.reversed() {
            next = test(condition, ifTrue: next, ifFalse: ifFalse)
        }
        return next
    }

    private mutating func test(
        _ condition: TypedCondition, ifTrue: Label, ifFalse: Label
    ) -> Label {
        let argument = Half.Argument(condition)
        switch condition.test {
        case .equal(let value):
            return equal(argument, value, mask: .max, ifTrue: ifTrue, ifFalse: ifFalse)
        case .notEqual(let value):
            return equal(argument, value, mask: .max, ifTrue: ifFalse, ifFalse: ifTrue)
        case .masked(let mask, let value):
            return equal(argument, value, mask: mask, ifTrue: ifTrue, ifFalse: ifFalse)
        case .greater(let value):
            return order(BPF.ifGreater, argument, value, ifTrue: ifTrue, ifFalse: ifFalse)
        case .greaterOrEqual(let value):
            return order(BPF.ifGreaterOrEqual, argument, value, ifTrue: ifTrue, ifFalse: ifFalse)
        case .less(let value):
            return order(BPF.ifGreaterOrEqual, argument, value, ifTrue: ifFalse, ifFalse: ifTrue)
        case .lessOrEqual(let value):
            return order(BPF.ifGreater, argument, value, ifTrue: ifFalse, ifFalse: ifTrue)
        }
    }

    private mutating func equal(
        _ argument: Half.Argument, _ value: UInt64, mask: UInt64, ifTrue: Label, ifFalse: Label
    ) -> Label {
        var next = ifTrue
        for half in argument.halves.reversed() {
            let mask = half.cut(mask) & half.seen
            let test = branch(BPF.ifEqual, half.cut(value), ifTrue: next, ifFalse: ifFalse)
            next = load(half, mask: mask, then: test)
        }
        return next
    }

    /// The upper half decides, unless it is equal; then the lower.
    private mutating func order(
        _ comparison: UInt16, _ argument: Half.Argument, _ value: UInt64, ifTrue: Label,
        ifFalse: Label
    ) -> Label {
        let low = argument.low
        var next = branch(comparison, low.cut(value), ifTrue: ifTrue, ifFalse: ifFalse)
        next = load(low, mask: low.seen, then: next)
        guard let high = argument.high else { return next }
        next = branch(BPF.ifEqual, high.cut(value), ifTrue: next, ifFalse: ifFalse)
        next = branch(BPF.ifGreater, high.cut(value), ifTrue: ifTrue, ifFalse: next)
        return load(high, mask: high.seen, then: next)
    }

    private mutating func load(_ half: Half, mask: UInt32, then next: Label) -> Label {
        var next = next
        if mask != .max { next = emit(BPF.and, mask, then: next) }
        return emit(BPF.loadWord, half.offset, then: next)
    }
}

/// One of the two words that BPF can load of an argument.
private struct Half {
    var offset: UInt32
    var shift: UInt64
    /// The bits that the kernel looks at.
    var seen: UInt32

    func cut(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value >> shift) }

    /// An argument's words; the upper one only where the kernel reads it.
    struct Argument {
        var high: Half?
        var low: Half

        init(_ condition: TypedCondition) {
            let mask = condition.width.mask
            low = Half(
                offset: BPF.lowOffset(condition.argument), shift: 0,
                seen: UInt32(truncatingIfNeeded: mask))
            if condition.width == .bits64 {
                high = Half(offset: BPF.highOffset(condition.argument), shift: 32, seen: .max)
            }
        }

        var halves: [Half] { (high.map { [$0] } ?? []) + [low] }
    }
}
