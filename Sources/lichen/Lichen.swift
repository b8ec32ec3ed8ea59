@main struct Lichen { static func main() { print("lichen") } }
