import Defences

/// The name of a file in an image: components as bytes, relative to the root, without ".", ".." or empty ones.
///
/// The empty path is the root itself. Paths are ordered by components, so that a directory stands right before what is in it
/// and everything below it is one run: "a", "a/b", "a-b".
public struct TreePath: Hashable, Sendable {
    public let bytes: [UInt8]

    public static let root = TreePath(unchecked: [])

    @usableFromInline
    init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// The path that `text` means below a root: leading, doubled and trailing slashes and "." count for nothing.
    ///
    /// Nil where a component is ".." or holds a NUL: whoever writes that into an archive means no good.
    public init?(_ text: some Collection<UInt8>) {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        for component in text.split(separator: slash) {
            if component.elementsEqual([dot]) { continue }
            let isParent = component.elementsEqual([dot, dot])
            if isParent && !Defence.parentNames.isLeftOut || component.contains(0) { return nil }
            if !result.isEmpty { result.append(slash) }
            result.append(contentsOf: component)
        }
        bytes = result
    }

    public var isRoot: Bool { bytes.isEmpty }

    /// The last component; empty for the root.
    public var name: ArraySlice<UInt8> {
        guard let index = bytes.lastIndex(of: slash) else { return bytes[...] }
        return bytes[(index + 1)...]
    }

    /// The directory that holds it; nil for the root.
    public var parent: TreePath? {
        if bytes.isEmpty { return nil }
        guard let index = bytes.lastIndex(of: slash) else { return .root }
        return TreePath(unchecked: Array(bytes[..<index]))
    }

    public var components: [ArraySlice<UInt8>] { bytes.split(separator: slash) }

    /// This path with one more component, which holds no slash and is neither "." nor "..".
    public func appending(_ name: some Collection<UInt8>) -> TreePath {
        if bytes.isEmpty { return TreePath(unchecked: Array(name)) }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + 1 + name.count)
        result.append(contentsOf: bytes)
        result.append(slash)
        result.append(contentsOf: name)
        return TreePath(unchecked: result)
    }

    /// This path with all components of `other` behind it.
    public func appending(_ other: TreePath) -> TreePath {
        other.isRoot ? self : appending(other.bytes)
    }

    /// Whether `other` is this path or lies below it.
    public func contains(_ other: TreePath) -> Bool {
        bytes.isEmpty
            || (other.bytes.starts(with: bytes)
                && (other.bytes.count == bytes.count || other.bytes[bytes.count] == slash))
    }

    /// For system calls: the root is ".".
    public var forSystem: [UInt8] { bytes.isEmpty ? [dot] : bytes }
}

extension TreePath: Comparable {
    public static func < (a: TreePath, b: TreePath) -> Bool {
        a.bytes.withUnsafeBytes { a in b.bytes.withUnsafeBytes { b in TreePath.precedes(a, b) } }
    }

    /// The order of paths: byte by byte, with the slash before every other.
    static func precedes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        let count = min(a.count, b.count)
        var index = 0
        while index < count, a[index] == b[index] { index += 1 }
        if index == count { return a.count < b.count }
        if a[index] == slash { return true }
        if b[index] == slash { return false }
        return a[index] < b[index]
    }

    /// Bytes of the longest path that is `a` or above it, and above `b`.
    static func lengthOfSharedDirectory(
        _ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer
    ) -> Int {
        let count = min(a.count, b.count)
        var (index, end) = (0, 0)
        while index < count, a[index] == b[index] {
            if a[index] == slash { end = index }
            index += 1
        }
        return index == a.count && index < b.count && b[index] == slash ? index : end
    }
}

let slash = UInt8(ascii: "/")
let dot = UInt8(ascii: ".")
