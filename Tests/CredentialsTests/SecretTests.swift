import Credentials
import Testing

@Suite struct `A secret` {
    @Test func `prints itself nowhere`() {
        let credential = Credential(.password(user: "me", Secret("hunter2")), source: "file")
        var dumped = ""
        dump(credential, to: &dumped)
        for text in [
            "\(credential)", String(reflecting: credential), dumped, "\(Secret("hunter2"))",
        ] {
            #expect(!text.contains("hunter2"))
        }
        #expect(credential.secret.reveal() == "hunter2")
    }

    @Test func `is cut out of the words of others`() {
        #expect(Secret("hunter2").redacted(in: "no hunter2 here") == "no … here")
        #expect(Secret("").redacted(in: "as it is") == "as it is")
    }
}
