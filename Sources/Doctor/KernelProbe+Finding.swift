import Linux

extension KernelProbe {
    /// Asks within the limit of an examination.
    func ask() -> Outcome { ask(limitMilliseconds: Examination.limitMilliseconds) }

    /// "yes" or "no", with the kernel's reason.
    ///
    /// - Parameter remedy: asked only where the answer is no.
    func finding(remedy: @autoclosure () -> String? = nil) -> Finding {
        switch ask() {
        case .worked: .good("yes")
        case .refused(let error): .missing("no", error.description, remedy: remedy())
        case .unanswered(let reason): .unknown(reason)
        }
    }
}
