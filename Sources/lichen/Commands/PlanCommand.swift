import ArgumentParser
import Build
import OCI
import Linux

struct PlanCommand: ParsableCommand {
    enum Format: String, CaseIterable, ExpressibleByArgument { case text, json }

    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Say what a build would do, without doing it.",
        discussion: """
            Stages in their order; for each step whether the store has it, whether it would run, or whether that \
            depends on a step that would; and what would be downloaded. Manifests of bases are looked up as \
            --pull says.

            Examples:
              lichen plan .
              lichen plan --target test --format json .
            """)

    @OptionGroup var options: PlanOptions

    @Option(help: "What is printed.")
    var format: Format = .text

    @OptionGroup(title: "Store") var store: StoreOptions

    func run() throws {
        let request = try options.request(environment: processEnvironment())
        try ContextWord.checkTerminal(request.context)
        let (place, format) = (store, format)
        try Session.run {
            let builder = Builder(store: try place.open()) { event in
                if case .warning(let text) = event {
                    Output.errorLine("warning: \(Sanitizer.clean(text))")
                }
            }
            let forecast = try await builder.forecast(request)
            switch format {
            case .text: Output.line(Sanitizer.clean(forecast.text, keepingNewlines: true))
            case .json: Output.line(forecast.json)
            }
        }
    }
}
