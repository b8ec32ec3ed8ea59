import Build
import Dockerfile
import OCI

extension Forecast {
    /// For people: stages with their steps, then what is not needed, and what would be downloaded.
    var text: String {
        var blocks: [String] = []
        let targets = Set(stages.map(\.target))
        for (index, stage) in stages.enumerated() {
            let isFirst = index == 0 || stages[index - 1].target != stage.target
            let heading = targets.count > 1 && isFirst ? "image for \(stage.target):\n\n" : ""
            blocks.append(heading + Self.block(stage))
        }
        if !pruned.isEmpty {
            let names = pruned.map { "\($0.label) (line \($0.line))" }
            blocks.append("not needed: \(names.joined(separator: ", "))\n")
        }
        if !downloads.isEmpty {
            let lines = downloads.map {
                "  \($0.digest)  \(ByteCount.text($0.size))  \($0.image)\n"
            }
            blocks.append("to download:\n" + lines.joined())
        }
        let bytes = downloads.reduce(0) { $0 + $1.size }
        blocks.append(
            "\(count(of: .cached)) cached, \(count(of: .runs)) would run, "
                + "\(count(of: .unknown)) not known before, \(ByteCount.text(bytes)) down\n")
        return blocks.joined(separator: "\n")
    }

    private static func block(_ stage: Stage) -> String {
        var text = "\(stage.label), line \(stage.line): on \(stage.base) for \(stage.platform)\n"
        for step in stage.steps {
            let outlook = step.outlook.rawValue
            let padding = String(repeating: " ", count: 8 - outlook.count)
            text += "  #\(step.number) \(outlook)\(padding) \(step.text)\n"
        }
        return text
    }

    /// docs/cli.md has its members.
    var json: String {
        JSONText.object([
            "downloads": .list(downloads.map(Self.json)),
            "pruned": .list(
                pruned.map { stage in
                    .object([
                        "index": .number(Int64(stage.index)), "line": .number(Int64(stage.line)),
                        "stage": .string(stage.label),
                    ])
                }),
            "stages": .list(stages.map(Self.json)),
            "target": .string(target),
        ]).rendered()
    }

    private static func json(_ download: Download) -> JSONText {
        .object([
            "digest": .string(download.digest.description), "image": .string(download.image),
            "size": .number(download.size),
        ])
    }

    private static func json(_ stage: Stage) -> JSONText {
        .members([
            "base": .string(stage.base),
            "baseDigest": .optional(stage.baseDigest?.description),
            "index": .number(Int64(stage.index)), "line": .number(Int64(stage.line)),
            "platform": .string(stage.platform.description),
            "stage": .string(stage.label),
            "target": .string(stage.target.description),
            "steps": .list(
                stage.steps.map { step in
                    .object([
                        "line": .number(Int64(step.line)), "number": .number(Int64(step.number)),
                        "outlook": .string(step.outlook.rawValue), "text": .string(step.text),
                    ])
                }),
        ])
    }
}
