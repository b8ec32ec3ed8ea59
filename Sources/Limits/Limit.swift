/// What comes from outside is read, waited for and repeated up to here: every such number of Lichen, in one place.
///
/// What passes one of them is an error that names it; nothing is cut off in silence unless the line says so. Numbers of a format
/// (the 512 bytes of a tar's block) stand where the format is read. Sizes are in bytes. docs/limits.md has the list for users.
public enum Limit {
    /// Bytes of a Dockerfile or of the text of an ignore file.
    @inlinable public static var dockerfile: Int { 4 << 20 }
    /// Bytes of one line of a Dockerfile as written.
    @inlinable public static var dockerfileLine: Int { 1 << 20 }
    /// Here-documents of one instruction.
    @inlinable public static var heredocs: Int { 256 }
    /// Nested substitutions of a word: `${A:-${B:-${C}}}` has three.
    @inlinable public static var expansionDepth: Int { 64 }
    /// Unicode scalars of a word after expansion: substitutions double it with each level.
    @inlinable public static var expandedWord: Int { 4 << 20 }
    /// Comparisons that the patterns of one word may take.
    @inlinable public static var patternSteps: Int { 4_000_000 }
    /// Patterns of an ignore file.
    @inlinable public static var ignorePatterns: Int { 65_536 }
    /// Bytes that are read of an ignore file.
    @inlinable public static var ignoreFile: Int { 16 << 20 }
    /// Entries of an archive that is a build context: five times the files of a Linux kernel with its history.
    @inlinable public static var contextEntries: Int { 1_000_000 }
    /// Bytes of all files of such an archive, with the holes of sparse ones.
    @inlinable public static var contextBytes: Int64 { 256 << 30 }
    /// Bytes of all its extended attributes, which are kept in memory.
    @inlinable public static var contextAttributes: Int { 64 << 20 }
    /// Entries of a layer or another archive: five times the largest layers in use.
    @inlinable public static var archiveEntries: Int { 5_000_000 }
    /// Bytes of one PAX header: room for a few attributes of the largest size.
    @inlinable public static var paxHeader: Int { 1 << 20 }
    /// Bytes of all PAX headers of an archive: one of 200 bytes for each entry that is taken.
    @inlinable public static var paxHeaders: Int64 { 1 << 30 }
    /// Extended attributes of one entry.
    @inlinable public static var attributes: Int { 128 }
    /// Regions of a sparse file.
    @inlinable public static var sparseRegions: Int { 65536 }
    /// Bytes after the end of an archive: GNU tar pads to 10 KiB, some tapes to 1 MiB.
    @inlinable public static var trailingBytes: Int64 { 64 << 20 }
    /// Bytes of the header of a gzip member, with its name and comment.
    @inlinable public static var gzipHeader: Int { 128 << 10 }
    /// Entries of a layer's listing, each of which takes some 100 bytes of memory.
    @inlinable public static var listingEntries: Int { 8_000_000 }
    /// Bytes of all its paths and link targets: a hundred for each of ten million files.
    @inlinable public static var listingPaths: Int { 1 << 30 }
    /// Entries looked through for what lies below directories that a layer itself replaces.
    @inlinable public static var listingRemovals: Int { 200_000_000 }
    /// Directories below each other in what a RUN left: a system call takes at most 2,048.
    @inlinable public static var treeDepth: Int { 1024 }
    /// Files of an image in an archive of this machine.
    @inlinable public static var archiveMembers: Int { 100_000 }
    /// Bytes of a manifest or an index. Registries commonly refuse more.
    @inlinable public static var manifest: Int { 4 << 20 }
    /// Bytes of an image's config.
    @inlinable public static var imageConfig: Int { 8 << 20 }
    /// Layers of one manifest, far beyond what overlay can stack.
    @inlinable public static var layers: Int { 1024 }
    /// Manifests of one index.
    @inlinable public static var indexEntries: Int { 4096 }
    /// Bytes of a policy file.
    @inlinable public static var policy: Int { 1 << 20 }
    /// Bytes of all lines of an answer's header.
    @inlinable public static var httpHeader: Int { 256 << 10 }
    /// Fields of an answer's header.
    @inlinable public static var httpHeaderFields: Int { 500 }
    /// Bytes that are read of a body that nobody wants, so that its connection can be used again.
    @inlinable public static var httpUnread: Int { 1 << 20 }
    /// Waiting for a connection: name, TCP and TLS together.
    @inlinable public static var connecting: Duration { .seconds(30) }
    /// Waiting for the header of an answer. Registries think long about a large blob.
    @inlinable public static var answering: Duration { .seconds(300) }
    /// Waiting without a byte in either direction.
    @inlinable public static var stalling: Duration { .seconds(60) }
    /// Bytes of the certificates of authorities of one registry.
    @inlinable public static var certificates: Int { 4 << 20 }
    /// Redirects of a registry that are followed.
    @inlinable public static var registryRedirects: Int { 5 }
    /// Bytes that are read of what a registry says about an error.
    @inlinable public static var registryError: Int { 64 << 10 }
    /// Bytes of the answer of a token service.
    @inlinable public static var tokenAnswer: Int { 1 << 20 }
    /// Bytes of a token.
    @inlinable public static var token: Int { 64 << 10 }
    /// Bytes of the address of a token service.
    @inlinable public static var tokenRealm: Int { 2048 }
    /// Scopes that a registry may ask for at once.
    @inlinable public static var tokenScopes: Int { 8 }
    /// Bytes of a scope or of a service's name.
    @inlinable public static var tokenScope: Int { 1024 }
    /// What a registry may ask for by `Retry-After`; who asks for more is not waited for.
    @inlinable public static var registryPatience: Duration { .seconds(120) }
    /// Attempts at what failed by chance, without any progress in between.
    @inlinable public static var registryAttempts: Int { 5 }
    /// Bytes of `config.json` or `auth.json`: Docker's has some hundred.
    @inlinable public static var credentialFile: Int { 4 << 20 }
    /// Objects and lists within each other in it.
    @inlinable public static var credentialDepth: Int { 64 }
    /// Bytes of the answer of a credential helper.
    @inlinable public static var helperAnswer: Int { 64 << 10 }
    /// Waiting for a credential helper, which is ended then.
    @inlinable public static var helperAnswering: Duration { .seconds(30) }
    /// Bytes of what git says.
    @inlinable public static var gitOutput: Int { 4 << 20 }
    /// Waiting for git to fetch or to check out, which is ended then.
    @inlinable public static var git: Duration { .seconds(1800) }
    /// Waiting for git to name branches and tags.
    @inlinable public static var gitNames: Duration { .seconds(120) }
    /// Bytes of a file that ADD fetches.
    @inlinable public static var remoteFile: Int64 { 16 << 30 }
    /// Redirects of a server of files that are followed.
    @inlinable public static var remoteRedirects: Int { 10 }
    /// Redirects on the way to a Dockerfile.
    @inlinable public static var dockerfileRedirects: Int { 5 }
    /// Bytes of a secret or of the script of a here-document.
    @inlinable public static var secret: Int { 1 << 20 }
    /// Bytes of an image's `/etc/passwd` or `/etc/group`.
    @inlinable public static var userFile: Int { 4 << 20 }
    /// Bytes of `/etc/subuid` or `/etc/subgid`; of a longer one nothing is taken.
    @inlinable public static var subordinateIDs: Int { 1 << 20 }
    /// Bytes of a message between the processes of a build: a step's environment, or the names of its changes.
    @inlinable public static var message: Int { 64 << 20 }
    /// Bytes of the host's `/etc/resolv.conf`.
    @inlinable public static var resolverFile: Int { 64 << 10 }
    /// Bytes of a password: more than most tokens have.
    @inlinable public static var password: Int { 64 << 10 }
    /// Seconds in which pasta or slirp4netns has to set up the network of a step; it takes some hundredths.
    @inlinable public static var networkHelper: Double { 20 }
    /// Bytes that are kept of what such a helper says.
    @inlinable public static var networkHelperWords: Int { 4096 }
}
