import Dockerfile
import OCI

extension StageSolver {
    mutating func perform(_ copy: CopyInstruction, _ instruction: Instruction, _ origin: Plan.CopyOrigin?, _ event: BuildEvent.Step) async throws {
        throw session.error(.input, "COPY is not wired", at: instruction.range)
    }
    mutating func perform(_ add: AddInstruction, _ instruction: Instruction, _ event: BuildEvent.Step) async throws {
        throw session.error(.input, "ADD is not wired", at: instruction.range)
    }
    mutating func performWorkingDirectory(_ word: Word, _ instruction: Instruction, _ event: BuildEvent.Step) async throws {
        throw session.error(.input, "WORKDIR is not wired", at: instruction.range)
    }
}
