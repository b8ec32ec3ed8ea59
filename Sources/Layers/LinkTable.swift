/// The symbolic links of one layer, and where a path leads that goes through them, as when a tar is unpacked in place.
///
/// A path takes time that grows with its length: its directories are gone through by name, never looked up as whole paths.
struct LinkTable {
    /// A name in a directory on the way to some link; directories are numbered, the root is 0.
    private struct Step: Hashable {
        var directory: Int
        var name: ArraySlice<UInt8>
    }

    private var steps: [Step: Int] = [:]
    private var targets: [Int: [UInt8]] = [:]

    /// Notes a link, or that there is none.
    mutating func set(_ target: [UInt8]?, at path: TreePath) {
        if target == nil, targets.isEmpty { return }
        var place = 0
        for name in path.components {
            let step = Step(directory: place, name: name)
            if let next = steps[step] {
                place = next
            } else if target == nil {
                return
            } else {
                place = steps.count + 1
                steps[step] = place
            }
        }
        targets[place] = target
    }

    /// Follows the links in the directories of `path`; nil where they lead on for ever, or to a path that is longer than any.
    func follow(_ path: TreePath) -> TreePath? {
        if targets.isEmpty { return path }
        var place = Place()
        var pending = Array(path.components.reversed())
        var links = 0
        while let name = pending.popLast() {
            if name.elementsEqual([dot]) { continue }
            if name.elementsEqual([dot, dot]) {
                place.leave()
                continue
            }
            let number = place.number.flatMap { steps[Step(directory: $0, name: name)] }
            guard !pending.isEmpty, let number, let target = targets[number] else {
                place.enter(name, number)
                continue
            }
            links += 1
            if links > 40 { return nil }
            if target.first == slash { place = Place() }
            pending += target.split(separator: slash).reversed()
        }
        return place.bytes.count > ListingBuilder.longestPath
            ? nil : TreePath(unchecked: place.bytes)
    }

    /// A directory that was reached, and the way to it.
    private struct Place {
        private(set) var bytes: [UInt8] = []
        /// Nil where no link lies below.
        private(set) var number: Int? = 0
        private var above: [(length: Int, number: Int?)] = []

        mutating func enter(_ name: ArraySlice<UInt8>, _ number: Int?) {
            above.append((bytes.count, self.number))
            if !bytes.isEmpty { bytes.append(slash) }
            bytes += name
            self.number = number
        }

        mutating func leave() {
            guard let last = above.popLast() else { return }
            bytes.removeLast(bytes.count - last.length)
            number = last.number
        }
    }
}
