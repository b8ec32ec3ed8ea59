import OCI
import Testing

@Suite struct `A timestamp` {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2024-02-29T12:34:56Z", 1_709_210_096),
        ("1969-12-31T23:59:59Z", -1), ("0001-01-01T00:00:00Z", -62_135_596_800),
        ("9999-12-31T23:59:59Z", 253_402_300_799), ("2000-03-01T00:00:00Z", 951_868_800),
        ("1900-03-01T00:00:00Z", -2_203_891_200),
    ])
    func `is written as it is read`(text: String, seconds: Int64) throws {
        let time = try #require(Timestamp(text))
        #expect(time.secondsSinceEpoch == seconds)
        #expect(time.description == text)
        #expect(Timestamp(secondsSinceEpoch: seconds) == time)
    }

    @Test(arguments: [
        ("2024-05-06T07:08:09.120000000Z", "2024-05-06T07:08:09.12Z"),
        ("2024-05-06T07:08:09.1234567891Z", "2024-05-06T07:08:09.123456789Z"),
        ("2024-05-06T07:08:09+02:00", "2024-05-06T05:08:09Z"),
        ("2024-05-06t23:08:09-01:30", "2024-05-07T00:38:09Z"),
        ("2024-05-06T23:59:60Z", "2024-05-06T23:59:59Z"),
    ])
    func `is written in one way`(text: String, expected: String) {
        #expect(Timestamp(text)?.description == expected)
    }

    @Test(arguments: [
        "", "2024-05-06", "2024-05-06T07:08:09", "2024-05-06 07:08:09Z", "2023-02-29T00:00:00Z",
        "2024-13-01T00:00:00Z", "2024-05-06T24:00:00Z", "2024-05-06T07:08:09.Z",
        "2024-05-06T07:08:09Zx", "0000-01-01T00:00:00Z", "2024-05-06T07:08:09+2:00",
    ])
    func `is refused in any other form`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func `stays within the years that can be written`() {
        #expect(Timestamp(secondsSinceEpoch: .max).description == "9999-12-31T23:59:59Z")
        #expect(Timestamp(secondsSinceEpoch: .min).description == "0001-01-01T00:00:00Z")
    }

    @Test func `is clamped downwards only`() {
        let early = Timestamp(secondsSinceEpoch: 1), late = Timestamp(secondsSinceEpoch: 2)
        #expect(late.clamped(to: early) == early)
        #expect(early.clamped(to: late) == early)
    }
}
