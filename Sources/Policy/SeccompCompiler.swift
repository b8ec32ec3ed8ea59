/// Turns a decision table into instructions.
struct SeccompCompiler {
    let table: DecisionTable
    let notifications: Notifications

    private var assembler = BackwardAssembler()
    private var returns: [SeccompAction: BackwardAssembler.Label] = [:]
    private var chains: [Chain: BackwardAssembler.Label] = [:]

    init(table: DecisionTable, notifications: Notifications) {
        self.table = table
        self.notifications = notifications
    }

    /// What the filter returns for a call, without its origins; equal ones share their code.
    private struct Chain: Hashable {
        struct Clause: Hashable {
            var conditions: [TypedCondition]
            var action: SeccompAction
        }
        var clauses: [Clause]
        var otherwise: SeccompAction
    }

    /// Calls from `start` on up to the next range.
    private struct Range {
        var start: UInt32
        var target: BackwardAssembler.Label
    }

    /// The program, end first: returns, argument tests, the search by number, the check of the ABI.
    mutating func program() -> [BPFInstruction] {
        let foreign = label(for: DecisionTable.foreignAction)
        let ranges = ranges()
        let search = search(ranges[...])
        let number = assembler.emit(BPF.loadWord, BPF.numberOffset, then: search)
        let check = assembler.branch(
            BPF.ifEqual, table.architecture.auditNumber, ifTrue: number, ifFalse: foreign)
        _ = assembler.emit(BPF.loadWord, BPF.architectureOffset, then: check)
        return assembler.instructions
    }

    private mutating func ranges() -> [Range] {
        // All returns first, so that they end the program and every range can reach them.
        let unknown = label(
            for: notifications.filterAction(for: table.unknownAction, of: nil))
        let names = table.names.keys.sorted()
        for number in names { _ = label(for: chain(of: number).otherwise) }
        var ranges = [Range(start: 0, target: unknown)]
        func add(_ start: UInt32, _ target: BackwardAssembler.Label) {
            if ranges.last?.start == start { ranges.removeLast() }
            if ranges.last?.target != target { ranges.append(Range(start: start, target: target)) }
        }
        for number in names {
            add(UInt32(number), label(for: chain(of: number)))
            add(UInt32(number) + 1, unknown)
        }
        if table.architecture == .x86_64 {
            add(DecisionTable.firstX32Number, label(for: DecisionTable.x32Action))
        }
        add(DecisionTable.tracerNumber, label(for: .allow))
        return ranges
    }

    private mutating func search(_ ranges: ArraySlice<Range>) -> BackwardAssembler.Label {
        guard ranges.count > 1 else { return ranges[ranges.startIndex].target }
        let middle = ranges.startIndex + ranges.count / 2
        let upper = search(ranges[middle...])
        let lower = search(ranges[..<middle])
        return assembler.branch(
            BPF.ifGreaterOrEqual, ranges[middle].start, ifTrue: upper, ifFalse: lower)
    }

    private func chain(of number: Int) -> Chain {
        let decision = table.decisions[number] ?? DecisionTable.Decision()
        let name = table.names[number]
        func returned(_ action: SeccompAction) -> SeccompAction {
            notifications.filterAction(for: action, of: name)
        }
        let otherwise = returned(decision.otherwise?.action ?? table.defaultAction)
        var clauses = decision.clauses.map { clause in
            Chain.Clause(conditions: clause.conditions, action: returned(clause.action))
        }
        // A last clause that says what would hold anyway needs no test; without any the call can be answered from the
        // kernel's bitmap.
        while clauses.last?.action == otherwise { clauses.removeLast() }
        return Chain(clauses: clauses, otherwise: otherwise)
    }

    private mutating func label(for chain: Chain) -> BackwardAssembler.Label {
        if let known = chains[chain] { return known }
        var next = label(for: chain.otherwise)
        for clause in chain.clauses.reversed() {
            next = assembler.test(
                clause.conditions, ifTrue: label(for: clause.action), ifFalse: next)
        }
        chains[chain] = next
        return next
    }

    private mutating func label(for action: SeccompAction) -> BackwardAssembler.Label {
        if let known = returns[action] { return known }
        let label = assembler.emit(BPF.return, action.returnValue)
        returns[action] = label
        return label
    }
}
