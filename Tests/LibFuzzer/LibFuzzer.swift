import FuzzTargets
import Glibc

/// What libFuzzer calls with each input. LICHEN_FUZZ_TARGET says whom it is for.
private let target: FuzzTarget = {
    let name = getenv("LICHEN_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    do {
        if let target = try FuzzTarget.named(name) { return target }
        let names = FuzzTarget.names.joined(separator: " ")
        fatalError("LICHEN_FUZZ_TARGET is one of \(names)")
    } catch { fatalError("\(error)") }
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do { try target.exercise(Array(UnsafeBufferPointer(start: start, count: count))) } catch {
        fatalError("\(error)")
    }
    return 0
}

/// Writes the seeds where the corpus is, before the first input.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>?,
    _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>?
) -> CInt {
    guard let corpus = getenv("LICHEN_FUZZ_CORPUS").map({ String(cString: $0) }) else { return 0 }
    for (index, seed) in target.seeds.enumerated() {
        guard let file = fopen("\(corpus)/seed-\(index)", "we") else { continue }
        fwrite(seed, 1, seed.count, file)
        fclose(file)
    }
    return 0
}
