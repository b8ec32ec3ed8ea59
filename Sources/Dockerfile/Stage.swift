/// A FROM and what follows it, up to the next FROM.
public struct Stage: Sendable, Equatable {
    /// Counted from 0.
    public var index: Int
    public var from: FromInstruction
    /// The FROM itself.
    public var instruction: Instruction
    public var instructions: [Instruction]

    /// In lower case: the case of a stage's name does not count.
    public var name: String? { from.name?.text.lowercased() }

    /// What messages call it.
    public var label: String { name ?? "stage-\(index)" }

    static func stages(of instructions: ArraySlice<Instruction>) -> [Stage] {
        var stages: [Stage] = []
        for instruction in instructions {
            if case .from(let from) = instruction.operation {
                stages.append(
                    Stage(
                        index: stages.count, from: from, instruction: instruction, instructions: [])
                )
            } else {
                stages[stages.count - 1].instructions.append(instruction)
            }
        }
        return stages
    }
}
