import Glibc
import HTTP
import TestSupport
import Testing

/// In processes of their own: the environment is the whole process's.
@Suite struct `A proxy of the environment` {
    @Test func `is used where no_proxy does not name the host`() async {
        await #expect(processExitsWith: .success) {
            let proxy = try ScriptedServer { _ in [.answer(200, body: "proxied".utf8)] }
            setenv("http_proxy", "http://me:hunter2@\(proxy.host)", 1)
            setenv("no_proxy", "direct.invalid,.inner.invalid", 1)
            let client = HTTPClient()
            let url = HTTPURL("http://r.invalid/v2/")!
            let response = try await client.collect(HTTPRequest(.get, url), limit: 100)
            #expect(response.body == Array("proxied".utf8))
            #expect(proxy.requests.map(\.target) == ["http://r.invalid/v2/"])
            #expect(proxy.requests[0].headers["proxy-authorization"]?.hasPrefix("Basic ") == true)
            for name in ["direct.invalid", "x.inner.invalid"] {
                await #expect(throws: HTTPError.self) {
                    try await client.collect(
                        HTTPRequest(.get, HTTPURL("http://\(name)/")!), limit: 100)
                }
            }
            #expect(proxy.requests.count == 1)
        }
    }

    @Test func `that opens no tunnel is an error of its own, not tried again`() async {
        await #expect(processExitsWith: .success) {
            let proxy = try ScriptedServer { _ in
                [.answer(407, ["Proxy-Authenticate": "Basic realm=x"]), .close]
            }
            setenv("https_proxy", "http://me:hunter2@\(proxy.host)", 1)
            let error = await #expect(throws: HTTPError.self) {
                try await HTTPClient().collect(
                    HTTPRequest(.get, HTTPURL("https://r.invalid/v2/")!), limit: 100)
            }
            #expect(error?.isUnreachable == true && error?.isTransient == false)
            #expect(error?.description.contains("407") == true, "\(error as Any)")
            #expect("\(error as Any)".contains("hunter2") == false)
        }
    }

    @Test func `is named without its password`() async {
        await #expect(processExitsWith: .success) {
            for proxy in [
                "me:hunter2@127.0.0.1:99999", "me:hunter2@127.0.0.1:1", "me:hunter2@x.invalid",
            ] {
                setenv("http_proxy", "http://" + proxy, 1)
                let error = await #expect(throws: HTTPError.self) {
                    try await HTTPClient().collect(
                        HTTPRequest(.get, HTTPURL("http://r.invalid/")!), limit: 100)
                }
                var dumped = ""
                dump(error, to: &dumped)
                #expect(!dumped.contains("hunter2") && !"\(error as Any)".contains("hunter2"))
            }
        }
    }
}
