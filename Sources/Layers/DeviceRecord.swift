import Linux

/// What a placeholder says of the device that it stands for, as an attribute of the file: "c1:3:666", the mode in octal.
///
/// A RUN can write such an attribute, too. It counts only where a layer's listing says that there is a device.
struct DeviceRecord: Equatable, Sendable {
    var kind: FileKind
    var number: DeviceNumber
    var permissions: UInt16

    init(kind: FileKind, number: DeviceNumber, permissions: UInt16) {
        self.kind = kind
        self.number = number
        self.permissions = permissions
    }

    init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let fields = text.dropFirst().split(separator: ":")
        guard fields.count == 3, let major = UInt32(fields[0]), let minor = UInt32(fields[1]),
            let permissions = UInt16(fields[2], radix: 8)
        else { return nil }
        kind = text.first == "b" ? .blockDevice : .characterDevice
        number = DeviceNumber(major: major, minor: minor)
        self.permissions = permissions & 0o7777
    }

    var bytes: [UInt8] {
        let letter = kind == .blockDevice ? "b" : "c"
        return Array(
            "\(letter)\(number.major):\(number.minor):\(String(permissions, radix: 8))".utf8)
    }
}
