import Doctor
import Linux

extension StoreOptions {
    /// Where a build with these options would work, without making anything there.
    func place() throws -> Place {
        let environment = processEnvironment()
        let path = try path(environment: environment, home: { InvokingUser.current.home })
        return Place(store: path, scratch: scratch, environment: environment)
    }
}
