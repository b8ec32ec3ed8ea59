extension Piece {
    /// Words as ENV, LABEL and ARG part them: white space inside of quotes does not count.
    ///
    /// Quotes and escapes stay, they go when the words are expanded. An escape at the very end is dropped.
    func quotedWords(escape: Unicode.Scalar) -> [Piece] {
        let scalars = line.scalars
        var words: [Piece] = []
        var start: Int?
        var quote: Unicode.Scalar?
        var index = bounds.lowerBound
        while index < bounds.upperBound {
            let next = scalars[index]
            if let open = quote {
                if next == open {
                    quote = nil
                } else if next == escape, open != "'" {
                    index += 1
                }
            } else if next.isSpace {
                if let begin = start { words.append(self[begin..<index]) }
                start = nil
            } else {
                if start == nil { start = index }
                if next == "'" || next == "\"" { quote = next }
                if next == escape { index += 1 }
            }
            index += 1
        }
        if let begin = start {
            let isOpen = index > bounds.upperBound
            let end = isOpen ? bounds.upperBound - 1 : bounds.upperBound
            if end > begin { words.append(self[begin..<end]) }
        }
        return words
    }
}
