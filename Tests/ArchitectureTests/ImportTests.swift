import Testing

@Suite struct `Imports of Sources` {
    @Test(arguments: SourceTree.names(in: "Sources"))
    func `go along the arrows`(module: String) throws {
        let files = SourceTree.swiftFiles(below: "Sources/\(module)")
        // A system library has a module map, and nothing that could import.
        if files.isEmpty && module.hasPrefix("C") { return }
        let allowed = try #require(ModuleTable.rows[module], "\(module) has no row in the table")
        for path in files {
            let text = try #require(SourceTree.text(of: path))
            let all = allowed.union(ModuleTable.everyone)
                .union(ModuleTable.exceptions[path] ?? [])
            let wrong = Set(SourceTree.imports(in: text)).subtracting(all)
            #expect(wrong.isEmpty, "\(path) imports \(wrong.sorted())")
        }
    }

    @Test func `are read at all`() {
        let text =
            "public import A\n@testable import B\nimport struct C.D\n  // import E\nimport F // x\n"
        #expect(SourceTree.imports(in: text) == ["A", "B", "C", "F"])
        #expect(SourceTree.swiftFiles(below: "Sources").count > 50)
    }

    @Test func `form no circle in the table`() {
        // A module is done when all that it imports of ours is done; what never gets done is in a circle.
        var done: Set<String> = []
        var waiting = Set(ModuleTable.rows.keys)
        while let next = waiting.first(where: { module in
            ModuleTable.rows[module]!.intersection(waiting).subtracting([module]).isEmpty
        }) {
            waiting.remove(next)
            done.insert(next)
        }
        #expect(waiting.isEmpty)
    }

    @Test func `name Foundation nowhere, and CShims in Linux alone`() {
        for (module, allowed) in ModuleTable.rows {
            #expect(!allowed.contains("Foundation"))
            #expect(!allowed.contains("CShims") || module == "Linux")
        }
    }

    @Test(arguments: ModuleTable.exceptions.keys.sorted())
    func `have no exception that is not needed`(path: String) throws {
        let text = try #require(SourceTree.text(of: path), "\(path) is gone; so is its exception")
        let needed = Set(SourceTree.imports(in: text))
        #expect(ModuleTable.exceptions[path]!.isSubset(of: needed))
    }
}
