import Linux

/// An open file for as long as somebody uses it, where a value that can't be copied can't go.
final class HeldDescriptor {
    let file: OwnedDescriptor

    init(file: consuming OwnedDescriptor) { self.file = file }
}
