import Testing

@testable import Doctor

/// All facts good, but for those that are given.
func facts(_ different: [String: Fact.State] = [:]) -> [Fact] {
    FactCatalog.all.map { definition in
        let state = different[definition.name] ?? .good
        return Fact(
            name: definition.name, group: definition.group, value: state == .good ? "yes" : "no",
            state: state, detail: state == .unknown ? "no answer" : nil,
            remedy: state == .good || state == .unknown ? nil : "mend \(definition.name)")
    }
}

@Suite struct `A verdict` {
    @Test func `has nothing to say about a host that has everything`() {
        let verdict = Verdict(facts())
        #expect(verdict.mode == .subordinate)
        #expect(verdict.missing.isEmpty && verdict.lacks.isEmpty && verdict.advice == nil)
    }

    @Test func `is a single id where the helpers map no range`() {
        let verdict = Verdict(facts(["idmap.range": .missing]))
        #expect(verdict.mode == .single)
        #expect(verdict.lacks.map(\.fact) == ["idmap.range"])
        #expect(verdict.advice == .init(fact: "idmap.range", change: "mend idmap.range"))
    }

    @Test(arguments: Verdict.needed)
    func `allows no RUN without what it needs`(name: String) {
        for state in [Fact.State.missing, .degraded, .unknown] {
            let verdict = Verdict(facts([name: state]))
            #expect(!verdict.allowsRun)
            #expect(verdict.missing == [name])
            #expect(verdict.advice?.fact == name)
        }
    }

    @Test(arguments: Verdict.wanted.map(\.fact))
    func `names what is weaker than the default`(name: String) {
        let verdict = Verdict(facts([name: .missing]))
        #expect(verdict.allowsRun)
        #expect(verdict.lacks.map(\.fact) == [name])
    }

    @Test(arguments: Verdict.causes)
    func `advises to mend the cause first`(cause: String) {
        let states: [String: Fact.State] = [
            cause: .missing, "userns": .missing, "mntns": .missing, "pidns": .missing,
            "idmap.range": .missing,
        ]
        #expect(Verdict(facts(states)).advice?.fact == cause)
    }

    @Test func `does not take a setting for the cause where namespaces work`() {
        let verdict = Verdict(facts(["max_user_namespaces": .degraded, "proc.fresh": .missing]))
        #expect(verdict.advice?.fact == "proc.fresh")
    }

    @Test func `says why a needed probe gave no answer`() {
        let verdict = Verdict(facts(["mount.api": .unknown, "idmap.range": .missing]))
        #expect(verdict.advice?.fact == "mount.api")
        #expect(verdict.advice?.change.contains("no answer") == true)
    }

    @Test func `takes a fact that was not measured for unknown`() {
        #expect(!Verdict([]).allowsRun)
    }

    @Test func `is of facts that there are`() {
        let names = Set(FactCatalog.names)
        #expect(names.count == FactCatalog.names.count)
        for name in Verdict.needed + Verdict.causes + Verdict.wanted.map(\.fact) {
            #expect(names.contains(name), "\(name)")
        }
    }
}
