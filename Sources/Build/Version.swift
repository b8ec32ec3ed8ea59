/// The version of this program, as `lichen version` says it and registries see it.
public let lichenVersion = "0.1.0"
