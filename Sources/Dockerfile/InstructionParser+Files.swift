extension InstructionParser {
    func copy() throws(Fault) -> CopyInstruction {
        let owner = try flags.word("chown")
        let from = try stageFlag("from")
        let mode = try flags.word("chmod")
        let isLinked = try flags.truth("link") ?? false
        let excludes = try flags.words("exclude")
        let keepsParents = try flags.truth("parents") ?? false
        try flags.refuseOthers()
        return CopyInstruction(
            sources: try sources(), from: from, owner: owner, mode: mode, isLinked: isLinked,
            keepsParents: keepsParents, excludes: excludes)
    }

    func add() throws(Fault) -> AddInstruction {
        let owner = try flags.word("chown")
        let mode = try flags.word("chmod")
        let isLinked = try flags.truth("link") ?? false
        let keepsGitDirectory = try flags.truth("keep-git-dir")
        let checksum = try flags.word("checksum")
        let unpacks = try flags.truth("unpack")
        let excludes = try flags.words("exclude")
        try flags.refuseOthers()
        return AddInstruction(
            sources: try sources(), owner: owner, mode: mode, isLinked: isLinked,
            excludes: excludes, checksum: checksum, keepsGitDirectory: keepsGitDirectory,
            unpacks: unpacks)
    }

    /// A flag that names a stage. Its value is never expanded, so nothing to expand may be in it.
    private func stageFlag(_ name: String) throws(Fault) -> Word? {
        guard let word = try flags.word(name) else { return nil }
        let expansion = try? Expander(escape: escape).expand(word.text) { _ in nil }
        guard expansion?.text == word.text else {
            throw Fault(.variableInFrom(flag: "--" + name), at: word.range)
        }
        return word
    }

    private func sources() throws(Fault) -> Sources {
        let (words, isJSON) = try list()
        guard let destination = words.last else {
            throw Fault(.missingArgument(instruction: name))
        }
        guard words.count > 1 else {
            throw Fault(.missingDestination(instruction: name), at: destination.range)
        }
        if isJSON {
            return Sources(
                paths: Array(words.dropLast()), heredocs: [], destination: destination, isJSON: true
            )
        }
        guard try Heredoc.marker(destination.text, range: destination.range) == nil else {
            throw Fault(.heredocAsDestination(instruction: name), at: destination.range)
        }
        var paths: [Word] = []
        var waiting = heredocs[...]
        var files: [Heredoc] = []
        for word in words.dropLast() {
            if let next = waiting.first, next.range == word.range {
                files.append(next)
                waiting.removeFirst()
            } else {
                paths.append(word)
            }
        }
        if let lost = waiting.first {
            throw Fault(.unusedHeredoc(marker: lost.marker), at: lost.range)
        }
        return Sources(paths: paths, heredocs: files, destination: destination, isJSON: false)
    }
}
