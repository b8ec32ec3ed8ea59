import CAttack
import Glibc

/// The attacker: this program again, executed by a step of the build that `AttackRun` makes.
public enum AttackProgram {
    /// The first argument by which the program knows that it is the attacker.
    public static let argument = ATK_ARGUMENT

    /// Carries out what the arguments name and prints what came of it.
    public static func run() -> Never {
        exit(atk_main(CommandLine.argc, CommandLine.unsafeArgv))
    }
}
