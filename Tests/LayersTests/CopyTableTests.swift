import Archive
import Contexts
import Layers
import Testing

/// One COPY: what is there, what is said, and what the layer holds.
struct CopyCase: Sendable, CustomTestStringConvertible {
    /// Where the expectation comes from.
    var rule: String
    /// The context, made by a shell.
    var context: String
    var parent: [[String]] = []
    var sources: [String]
    var destination: String
    var workingDirectory = "/"
    var owner: LayerComposer.Attributes.Owner?
    var mode: String?
    var adds = false
    var expected: [String]

    var testDescription: String { rule }

    func run() throws -> Layer {
        let scratch = Scratch()
        Tool.make(context, in: scratch.path)
        let selection = try CopySelection(sources, in: try LayersTests.context(scratch))
        let attributes = LayerComposer.Attributes(
            owner: owner, mode: mode.map { ModeChange($0)! })
        return try compose(on: try stack(parent)) {
            try $0.copy(
                selection, to: destination, workingDirectory: workingDirectory, attributes)
        }
    }
}

@Suite struct `A COPY` {
    @Test(arguments: CopyCase.files + CopyCase.directories + CopyCase.attributes + CopyCase.links)
    func `writes the layer of its rule`(item: CopyCase) throws {
        #expect(try item.run().lines == item.expected)
    }

    @Test(arguments: CopyCase.files + CopyCase.directories + CopyCase.attributes + CopyCase.links)
    func `lists what it writes`(item: CopyCase) throws {
        let layer = try item.run()
        for (entry, _) in layer.entries {
            let path = TreePath(entry.path)!
            let line = layer.listing[path]
            #expect(line != nil)
            if entry.kind != .hardLink { #expect(line?.permissions == entry.mode) }
        }
        #expect(layer.listing.count == layer.entries.count)
    }
}

private let usr = ["d 0755 0:0 usr", "d 0755 0:0 usr/bin", "l bin -> usr/bin"]

extension CopyCase {
    static let files: [CopyCase] = [
        CopyCase(
            rule: "a file goes to the path that the destination names",
            context: "echo -n A >a", sources: ["a"], destination: "/b",
            expected: ["f 0644 0:0 b=A"]),
        CopyCase(
            rule: "a slash at the end of the destination makes it a directory",
            context: "echo -n A >a", sources: ["a"], destination: "/b/",
            expected: ["d 0755 0:0 b", "f 0644 0:0 b/a=A"]),
        CopyCase(
            rule: "a dot at the end of the destination makes it a directory",
            context: "echo -n A >a", sources: ["a"], destination: "/b/.",
            expected: ["d 0755 0:0 b", "f 0644 0:0 b/a=A"]),
        CopyCase(
            rule: "a file goes into a directory that exists, without a slash too",
            context: "echo -n A >a", parent: [["d 0711 3:4 b"]], sources: ["a"], destination: "/b",
            expected: ["d 0711 3:4 b", "f 0644 0:0 b/a=A"]),
        CopyCase(
            rule: "missing directories on the way are made with 0755 and root's",
            context: "echo -n A >a", sources: ["a"], destination: "/x/y/z",
            expected: ["d 0755 0:0 x", "d 0755 0:0 x/y", "f 0644 0:0 x/y/z=A"]),
        CopyCase(
            rule: "a relative destination starts at the working directory",
            context: "echo -n A >a", parent: [["d 0700 7:7 app"]], sources: ["a"],
            destination: "b", workingDirectory: "/app",
            expected: ["d 0700 7:7 app", "f 0644 0:0 app/b=A"]),
        CopyCase(
            rule: "a dot as destination is the working directory",
            context: "echo -n A >a", sources: ["a"], destination: ".", workingDirectory: "/app",
            expected: ["d 0755 0:0 app", "f 0644 0:0 app/a=A"]),
        CopyCase(
            rule: "an empty destination is the working directory",
            context: "echo -n A >a", parent: [["d 0755 0:0 app"]], sources: ["a"], destination: "",
            workingDirectory: "/app", expected: ["d 0755 0:0 app", "f 0644 0:0 app/a=A"]),
        CopyCase(
            rule: "the root as destination needs no entry of its own",
            context: "echo -n A >a", sources: ["a"], destination: "/",
            expected: ["f 0644 0:0 a=A"]),
        CopyCase(
            rule: "dots in the destination are taken out by the text",
            context: "echo -n A >a", sources: ["a"], destination: "/x/../y/./b",
            expected: ["d 0755 0:0 y", "f 0644 0:0 y/b=A"]),
        CopyCase(
            rule: "two dots at the image's root stay there",
            context: "echo -n A >a", sources: ["a"], destination: "../../b",
            workingDirectory: "/app", expected: ["f 0644 0:0 b=A"]),
        CopyCase(
            rule: "a slash at the end of a source counts for nothing",
            context: "echo -n A >a", sources: ["a/"], destination: "/b",
            expected: ["f 0644 0:0 b=A"]),
        CopyCase(
            rule: "a slash at the start of a source is the context's root",
            context: "mkdir d; echo -n A >d/a", sources: ["/d/a"], destination: "/b",
            expected: ["f 0644 0:0 b=A"]),
        CopyCase(
            rule: "dots in a source are taken out while they stay in the context",
            context: "mkdir d; echo -n A >a", sources: ["d/../a"], destination: "/b",
            expected: ["f 0644 0:0 b=A"]),
        CopyCase(
            rule: "a file keeps the last component of its name",
            context: "mkdir -p d/e; echo -n A >d/e/a", sources: ["d/e/a"], destination: "/t/",
            expected: ["d 0755 0:0 t", "f 0644 0:0 t/a=A"]),
        CopyCase(
            rule: "several files go into a directory, sorted in the layer",
            context: "echo -n A >a; echo -n B >b", sources: ["b", "a"], destination: "/t/",
            expected: ["d 0755 0:0 t", "f 0644 0:0 t/a=A", "f 0644 0:0 t/b=B"]),
        CopyCase(
            rule: "several files go into a directory that exists, without a slash too",
            context: "echo -n A >a; echo -n B >b", parent: [["d 0755 0:0 t"]], sources: ["b", "a"],
            destination: "/t", expected: ["d 0755 0:0 t", "f 0644 0:0 t/a=A", "f 0644 0:0 t/b=B"]),
        CopyCase(
            rule: "of two sources with one name the later one counts",
            context: "mkdir x y; echo -n X >x/a; echo -n Y >y/a", sources: ["x/a", "y/a"],
            destination: "/t/", expected: ["d 0755 0:0 t", "f 0644 0:0 t/a=Y"]),
        CopyCase(
            rule: "a file replaces a file of the image, with no whiteout",
            context: "echo -n A >a", parent: [["d 0755 0:0 t", "f 0600 5:5 t/a"]], sources: ["a"],
            destination: "/t/a", expected: ["d 0755 0:0 t", "f 0644 0:0 t/a=A"]),
        CopyCase(
            rule: "an empty file is copied",
            context: ": >a", sources: ["a"], destination: "/b", expected: ["f 0644 0:0 b"]),
        CopyCase(
            rule: "a name with a backslash is no pattern",
            context: "echo -n A >'a\\b'", sources: ["a\\b"], destination: "/c",
            expected: ["f 0644 0:0 c=A"]),
        CopyCase(
            rule: "a star matches within one component",
            context: "mkdir d; echo -n A >a.c; echo -n B >b.c; echo -n C >d/c.c",
            sources: ["*.c"], destination: "/t/",
            expected: ["d 0755 0:0 t", "f 0644 0:0 t/a.c=A", "f 0644 0:0 t/b.c=B"]),
        CopyCase(
            rule: "a star matches a leading dot",
            context: "echo -n A >.a", sources: ["*"], destination: "/t/",
            expected: ["d 0755 0:0 t", "f 0644 0:0 t/.a=A"]),
        CopyCase(
            rule: "patterns in several components are matched one by one",
            context: "mkdir -p x/1 y/2; echo -n A >x/1/a; echo -n B >y/2/b; echo -n C >x/c",
            sources: ["?/[12]/*"], destination: "/t/",
            expected: ["d 0755 0:0 t", "f 0644 0:0 t/a=A", "f 0644 0:0 t/b=B"]),
        CopyCase(
            rule: "a bracket in brackets is a bracket",
            context: "echo -n A >'arr[0].txt'; echo -n B >arr0.txt", sources: ["arr[[]0].txt"],
            destination: "/t/", expected: ["d 0755 0:0 t", "f 0644 0:0 t/arr[0].txt=A"]),
        CopyCase(
            rule: "a pattern with one match may name a file",
            context: "echo -n A >app-1.jar", sources: ["app-*.jar"], destination: "/app.jar",
            expected: ["f 0644 0:0 app.jar=A"]),
        CopyCase(
            rule: "a pattern without a match is left out, the rest is copied",
            context: "echo -n A >foo", sources: ["foo", "nomatch*"], destination: "/",
            expected: ["f 0644 0:0 foo=A"]),
        CopyCase(
            rule: "a pattern without a match alone copies nothing",
            context: ":", sources: ["nomatch*"], destination: "/", expected: []),
        CopyCase(
            rule: "a fifo is kept as it is",
            context: "mkfifo -m 600 p", sources: ["p"], destination: "/t/",
            expected: ["d 0755 0:0 t", "p 0600 0:0 t/p"]),
        CopyCase(
            rule: "an entry that only stands for what is in it is a directory",
            context: "echo -n A >a", parent: [["f 0644 0:0 opt/tool/bin"]], sources: ["a"],
            destination: "/opt/tool",
            expected: ["d 0755 0:0 opt", "d 0755 0:0 opt/tool", "f 0644 0:0 opt/tool/a=A"]),
        CopyCase(
            rule: "a directory that an upper layer removed is not there",
            context: "echo -n A >a", parent: [["d 0700 5:5 t", "f 0644 0:0 t/x"], ["w t"]],
            sources: ["a"], destination: "/t", expected: ["f 0644 0:0 t=A"]),
        CopyCase(
            rule: "of a directory in two layers the upper one's metadata counts",
            context: "echo -n A >a", parent: [["d 0700 5:5 t"], ["d 0711 6:6 t"]],
            sources: ["a"], destination: "/t/", expected: ["d 0711 6:6 t", "f 0644 0:0 t/a=A"]),
    ]

    static let directories: [CopyCase] = [
        CopyCase(
            rule: "of a directory the content is copied, not itself",
            context: "mkdir -m 700 d; echo -n A >d/a", sources: ["d"], destination: "/t",
            expected: ["d 0755 0:0 t", "f 0644 0:0 t/a=A"]),
        CopyCase(
            rule: "a dot is all of the context",
            context: "mkdir d; echo -n A >d/a; echo -n B >b", sources: ["."], destination: ".",
            workingDirectory: "/app",
            expected: [
                "d 0755 0:0 app", "f 0644 0:0 app/b=B", "d 0755 0:0 app/d", "f 0644 0:0 app/d/a=A",
            ]),
        CopyCase(
            rule: "a nested directory keeps its mode",
            context: "mkdir -p d/e; chmod 2750 d/e", sources: ["d"], destination: "/t/",
            expected: ["d 0755 0:0 t", "d 2750 0:0 t/e"]),
        CopyCase(
            rule: "an existing destination keeps its own metadata",
            context: "mkdir -m 700 d; echo -n A >d/a", parent: [["d 1777 0:0 tmp"]], sources: ["d"],
            destination: "/tmp", expected: ["d 1777 0:0 tmp", "f 0644 0:0 tmp/a=A"]),
        CopyCase(
            rule: "an existing directory below takes the source's metadata",
            context: "mkdir -p d/e; chmod 700 d/e",
            parent: [["d 0755 1:1 t", "d 0755 2:2 t/e", "f 0644 2:2 t/e/kept"]],
            sources: ["d"], destination: "/t", expected: ["d 0755 1:1 t", "d 0700 0:0 t/e"]),
        CopyCase(
            rule: "an empty directory makes its destination",
            context: "mkdir d", sources: ["d"], destination: "/t", expected: ["d 0755 0:0 t"]),
        CopyCase(
            rule: "an empty directory changes nothing where the destination exists",
            context: "mkdir d", parent: [["d 0755 0:0 t"]], sources: ["d"], destination: "/t",
            expected: []),
        CopyCase(
            rule: "two directories are merged",
            context:
                "mkdir -p x/s y/s; echo -n A >x/s/a; echo -n B >y/s/b; echo -n C >x/c; echo -n D >y/c",
            sources: ["x", "y"], destination: "/t/",
            expected: [
                "d 0755 0:0 t", "f 0644 0:0 t/c=D", "d 0755 0:0 t/s", "f 0644 0:0 t/s/a=A",
                "f 0644 0:0 t/s/b=B",
            ]),
        CopyCase(
            rule: "a pattern copies the content of each directory that it matches",
            context: "mkdir d1 d2; echo -n A >d1/a; echo -n B >d2/b", sources: ["d*"],
            destination: "/t/",
            expected: ["d 0755 0:0 t", "f 0644 0:0 t/a=A", "f 0644 0:0 t/b=B"]),
        CopyCase(
            rule: "a directory and a file may go to one directory",
            context: "mkdir d; echo -n A >d/a; echo -n B >b", sources: ["d", "b"],
            destination: "/t/",
            expected: ["d 0755 0:0 t", "f 0644 0:0 t/a=A", "f 0644 0:0 t/b=B"]),
        CopyCase(
            rule: "a directory stands before what is in it and before names with a dash",
            context: "mkdir -p d/a; : >d/a/z; : >d/a-b", sources: ["d"], destination: "/t/",
            expected: ["d 0755 0:0 t", "d 0755 0:0 t/a", "f 0644 0:0 t/a/z", "f 0644 0:0 t/a-b"]),
        CopyCase(
            rule: "hard links are kept, to the first name in the layer's order",
            context: "mkdir -p d/e; echo -n A >d/z; ln d/z d/b; ln d/z d/e/c", sources: ["d"],
            destination: "/t/",
            expected: [
                "d 0755 0:0 t", "f 0644 0:0 t/b=A", "d 0755 0:0 t/e", "h t/e/c -> t/b",
                "h t/z -> t/b",
            ]),
        CopyCase(
            rule: "a file with another name outside the copy is a plain file",
            context: "mkdir d; echo -n A >d/z; ln d/z other", sources: ["d"], destination: "/t/",
            expected: ["d 0755 0:0 t", "f 0644 0:0 t/z=A"]),
        CopyCase(
            rule: "files named apart are not linked to each other",
            context: "echo -n A >a; ln a b", sources: ["a", "b"], destination: "/t/",
            expected: ["d 0755 0:0 t", "f 0644 0:0 t/a=A", "f 0644 0:0 t/b=A"]),
    ]

    static let attributes: [CopyCase] = [
        CopyCase(
            rule: "the owner is that of --chown, of made directories too",
            context: "echo -n A >a", sources: ["a"], destination: "/x/",
            owner: .init(uid: 55, gid: 7),
            expected: ["d 0755 55:7 x", "f 0644 55:7 x/a=A"]),
        CopyCase(
            rule: "--chown leaves directories alone that exist",
            context: "echo -n A >a", parent: [["d 0755 3:3 x"]], sources: ["a"], destination: "/x/",
            owner: .init(uid: 55, gid: 7), expected: ["d 0755 3:3 x", "f 0644 55:7 x/a=A"]),
        CopyCase(
            rule: "--chown applies to links and nested directories",
            context: "mkdir -p d/e; ln -s q d/e/l", sources: ["d"], destination: "/",
            owner: .init(uid: 9, gid: 9), expected: ["d 0755 9:9 e", "l e/l -> q"]),
        CopyCase(
            rule: "an octal --chmod applies to files, directories and those made on the way",
            context: "mkdir -p d/e; echo -n A >d/e/a", sources: ["d"], destination: "/x/y",
            mode: "750",
            expected: [
                "d 0750 0:0 x", "d 0750 0:0 x/y", "d 0750 0:0 x/y/e", "f 0750 0:0 x/y/e/a=A",
            ]),
        CopyCase(
            rule: "an octal --chmod sets setuid on files, never on made directories",
            context: "echo -n A >a", sources: ["a"], destination: "/x/", mode: "4755",
            expected: ["d 0755 0:0 x", "f 4755 0:0 x/a=A"]),
        CopyCase(
            rule: "a symbolic --chmod changes what the source has",
            context: "mkdir -p d/e; : >d/s; chmod 700 d/s; : >d/t; chmod 600 d/t; chmod 700 d/e",
            sources: ["d"], destination: "/", mode: "u=rwX,go=rX",
            expected: ["d 0755 0:0 e", "f 0755 0:0 s", "f 0644 0:0 t"]),
        CopyCase(
            rule: "a symbolic --chmod leaves made directories at 0755",
            context: ": >a", sources: ["a"], destination: "/x/", mode: "+x",
            expected: ["d 0755 0:0 x", "f 0755 0:0 x/a"]),
        CopyCase(
            rule: "a mode copied from another class",
            context: ": >a; chmod 740 a", sources: ["a"], destination: "/", mode: "g=u",
            expected: ["f 0770 0:0 a"]),
        CopyCase(
            rule: "setuid and sticky bits of the source are kept",
            context: ": >a; chmod 4755 a; mkdir d d/t; chmod 1777 d/t", sources: ["a", "d"],
            destination: "/", expected: ["f 4755 0:0 a", "d 1777 0:0 t"]),
    ]

    static let links: [CopyCase] = [
        CopyCase(
            rule: "a link in the destination is followed",
            context: "echo -n A >a", parent: [usr], sources: ["a"], destination: "/bin/",
            expected: ["d 0755 0:0 usr", "d 0755 0:0 usr/bin", "f 0644 0:0 usr/bin/a=A"]),
        CopyCase(
            rule: "a link as the destination leads to the file that is replaced",
            context: "echo -n A >a",
            parent: [["d 0755 0:0 etc", "f 0644 0:0 etc/x", "l etc/l -> x"]],
            sources: ["a"], destination: "/etc/l",
            expected: ["d 0755 0:0 etc", "f 0644 0:0 etc/x=A"]),
        CopyCase(
            rule: "a link to a directory is a directory",
            context: "echo -n A >a", parent: [usr], sources: ["a"], destination: "/bin",
            expected: ["d 0755 0:0 usr", "d 0755 0:0 usr/bin", "f 0644 0:0 usr/bin/a=A"]),
        CopyCase(
            rule: "a link to nothing in the destination makes what it names",
            context: "echo -n A >a", parent: [["l data -> /srv/data"]], sources: ["a"],
            destination: "/data/",
            expected: ["d 0755 0:0 srv", "d 0755 0:0 srv/data", "f 0644 0:0 srv/data/a=A"]),
        CopyCase(
            rule: "links of the image stay below its root",
            context: "echo -n A >a", parent: [["l up -> ../../../etc", "d 0755 0:0 etc"]],
            sources: ["a"], destination: "/up/", expected: ["d 0755 0:0 etc", "f 0644 0:0 etc/a=A"]),
        CopyCase(
            rule: "a link that a directory's file meets is replaced, not followed",
            context: "mkdir d; echo -n A >d/x",
            parent: [["d 0755 0:0 etc", "l etc/x -> /elsewhere"]],
            sources: ["d"], destination: "/etc", expected: ["d 0755 0:0 etc", "f 0644 0:0 etc/x=A"]),
        CopyCase(
            rule: "a link in the way of a source is followed",
            context: "mkdir real; echo -n A >real/a; ln -s real alias", sources: ["alias/a"],
            destination: "/t/", expected: ["d 0755 0:0 t", "f 0644 0:0 t/a=A"]),
        CopyCase(
            rule: "a source that is a link is followed and keeps the link's name",
            context: "echo -n A >real; ln -s real alias", sources: ["alias"], destination: "/t/",
            expected: ["d 0755 0:0 t", "f 0644 0:0 t/alias=A"]),
        CopyCase(
            rule: "a source that is a link to a directory is its content",
            context: "mkdir real; echo -n A >real/a; ln -s real alias", sources: ["alias"],
            destination: "/t/", expected: ["d 0755 0:0 t", "f 0644 0:0 t/a=A"]),
        CopyCase(
            rule: "an absolute link of the context starts at the context",
            context: "mkdir d; echo -n A >d/a; ln -s /d/a l", sources: ["l"], destination: "/t/",
            expected: ["d 0755 0:0 t", "f 0644 0:0 t/l=A"]),
        CopyCase(
            rule: "a link that climbs out of the context stays in it",
            context: "echo -n A >a; mkdir d; ln -s ../../../a d/l", sources: ["d/l"],
            destination: "/t/", expected: ["d 0755 0:0 t", "f 0644 0:0 t/l=A"]),
        CopyCase(
            rule: "links below a copied directory are copied as links, wherever they lead",
            context: "mkdir d; ln -s /etc/passwd d/l; ln -s nowhere d/m", sources: ["d"],
            destination: "/t/",
            expected: ["d 0755 0:0 t", "l t/l -> /etc/passwd", "l t/m -> nowhere"]),
        CopyCase(
            rule: "a link that a pattern matches is followed",
            context: "echo -n A >real; ln -s real alias", sources: ["ali*"], destination: "/t/",
            expected: ["d 0755 0:0 t", "f 0644 0:0 t/alias=A"]),
        CopyCase(
            rule: "a pattern does not look into a linked directory",
            context: "mkdir real; echo -n A >real/a; ln -s real alias", sources: ["*/a"],
            destination: "/t/", expected: ["d 0755 0:0 t", "f 0644 0:0 t/a=A"]),
        CopyCase(
            rule: "a pattern behind a link looks where it leads",
            context: "mkdir real; echo -n A >real/a; ln -s real alias", sources: ["alias/*"],
            destination: "/t/", expected: ["d 0755 0:0 t", "f 0644 0:0 t/a=A"]),
    ]
}
