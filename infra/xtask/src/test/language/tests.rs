//! Planted cases: each rule finds its violations, and no more.

use super::*;

fn found(path: &str, text: &str) -> Vec<(usize, Rule, String)> {
    found_among(path, text, &[])
}

/// Findings in one file of a repository that has others, given by path and text.
fn found_among(path: &str, text: &str, others: &[(&str, &str)]) -> Vec<(usize, Rule, String)> {
    let source = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let mut sources = vec![source(path, text)];
    sources.extend(others.iter().map(|(path, text)| source(path, text)));
    let paths = sources.iter().map(|source| source.path.clone()).collect();
    let findings = findings_in(&sources, paths).into_iter();
    findings
        .filter(|finding| finding.path == path)
        .map(|finding| (finding.line, finding.rule, finding.detail))
        .collect()
}

fn count(path: &str, text: &str, rule: Rule) -> usize {
    let found = found(path, text);
    found.iter().filter(|(_, broken, _)| *broken == rule).count()
}

mod doc_comment {
    use super::*;

    #[test]
    fn question_word_is_found() {
        for word in ["What", "Whose", "Whom", "Who", "When", "Where", "How", "Why"] {
            for mark in ["///", "//!", "    ///"] {
                let text = format!("{mark} {word} it is.\n");
                assert_eq!(count("a.rs", &text, Rule::DocOpener), 1, "{text}");
            }
        }
        assert_eq!(
            found("a.rs", "/// Fine.\n/// What's more.\n"),
            [(2, Rule::DocOpener, "a doc line opens with \"What\"".to_owned())]
        );
    }

    #[test]
    fn other_lines_pass() {
        for text in [
            "/// Whether it is.\n",
            "/// Whatever.\n",
            "/// Id of the card\n/// when it is known.\n",
            "// Why this comment is none of the documentation.\n",
            "let text = \"/// What\";\n",
        ] {
            assert_eq!(found("a.rs", text), [], "{text}");
        }
        assert_eq!(found("a.py", "/// What\n"), []);
    }
}

mod test_name {
    use super::*;

    fn rust(attribute: &str, function: &str) -> usize {
        count(
            "a.rs",
            &format!("{attribute}\n{function}() {{}}\n"),
            Rule::TestName,
        )
    }

    #[test]
    fn length_is_limited() {
        let (long, longest) = ("a".repeat(61), "a".repeat(60));
        for attribute in [
            "#[test]",
            "#[tokio::test]",
            "#[tokio::test(start_paused = true)]",
            "#[test]\n#[ignore]",
        ] {
            for start in ["fn ", "async fn "] {
                assert_eq!(
                    rust(attribute, &format!("{start}{long}")),
                    1,
                    "{attribute} {start}"
                );
                assert_eq!(
                    rust(attribute, &format!("{start}{longest}")),
                    0,
                    "{attribute} {start}"
                );
            }
        }
        assert_eq!(rust("#[inline]", &format!("fn {long}")), 0);
        let python = |name: &str| count("a.py", &format!("def test_{name}() -> None:\n"), Rule::TestName);
        assert_eq!((python(&"a".repeat(55)), python(&"a".repeat(56))), (0, 1));
        assert_eq!(
            count("a.py", &format!("def {long}() -> None:\n"), Rule::TestName),
            0
        );
    }

    #[test]
    fn apostrophe_is_found() {
        assert_eq!(rust("#[test]", "fn customer_s_card"), 1);
        assert_eq!(rust("#[test]", "fn can_t_be_read"), 1);
        assert_eq!(rust("#[test]", "fn customers_card"), 0);
        let python = "def test_bank_s_page() -> None:\n    pass\n";
        assert_eq!(count("a.py", python, Rule::TestName), 1);
    }
}

mod line_length {
    use super::*;

    #[test]
    fn text_and_tables_are_limited() {
        let long = "a".repeat(141);
        assert_eq!(count("a.md", &long, Rule::LineLength), 1);
        assert_eq!(count("a.md", &format!("| {long} |"), Rule::LineLength), 1);
        assert_eq!(count("a.md", &"é".repeat(140), Rule::LineLength), 0);
        assert_eq!(count("a.rs", &long, Rule::LineLength), 0);
    }

    #[test]
    fn code_links_and_images_are_not() {
        let long = "a".repeat(141);
        for line in [
            format!("https://example.com/{long}"),
            format!("- <https://example.com/{long}>"),
            format!("[text](https://example.com/{long})"),
            format!("![text](https://example.com/{long})"),
            format!("[name]: https://example.com/{long}"),
            format!("```sh\n{long}\n```"),
            format!("~~~\n```\n{long}\n~~~"),
        ] {
            assert_eq!(count("a.md", &line, Rule::LineLength), 0, "{line}");
        }
        let after = format!("```\n```\n{long}");
        assert_eq!(count("a.md", &after, Rule::LineLength), 1);
        let sentence = format!("[text](https://example.com/{long}) says more");
        assert_eq!(count("a.md", &sentence, Rule::LineLength), 1);
    }
}

mod reference {
    use super::*;

    fn dangling(path: &str, text: &str, others: &[(&str, &str)]) -> Vec<String> {
        let found = found_among(path, text, others).into_iter();
        found.map(|(_, _, detail)| detail).collect()
    }

    const OTHERS: [(&str, &str); 5] = [
        ("docs/adr/0007-local.md", "# Local"),
        (
            "docs/guide.md",
            "# A guide\n## Set `up`, twice\n## Twice\n## Twice\n<a id=\"here\"></a>",
        ),
        ("shared/cards/src/lib.rs", ""),
        ("shared/cards/tests/data/one.json", ""),
        ("tests/README.md", ""),
    ];

    #[test]
    fn documents_from_outside_are_found() {
        for text in [
            "// behavior \u{a7}4",
            "# behaviour \u{a7}4",
            "see Source document \u{30}01",
            "source document \u{30}02",
        ] {
            for path in ["a.rs", "a.md", "a.py"] {
                assert_eq!(count(path, text, Rule::Reference), 1, "{path}: {text}");
            }
        }
        assert_eq!(found("a.rs", "// its behavior and a source document\n"), []);
    }

    #[test]
    fn missing_path_is_found() {
        for (path, text) in [
            ("a.rs", "// As docs/missing.md says."),
            ("a.md", "`shared/cards/src/main.rs`"),
            ("a.md", "In `src/main.rs`."),
            ("a.py", "# docs/adr/0008"),
            ("shared/cards/README.md", "tests/data/two.json"),
        ] {
            assert_eq!(dangling(path, text, &OTHERS).len(), 1, "{path}: {text}");
        }
    }

    #[test]
    fn present_path_passes() {
        for (path, text) in [
            ("a.rs", "// As docs/guide.md says, and docs/adr/0007."),
            ("a.rs", "let path = \"docs/missing.md\";"),
            (
                "a.md",
                "`shared/cards/` and `shared/*/src/main.rs` and docs/<name>.md",
            ),
            ("a.md", "https://example.com/docs/missing.md"),
            ("a.md", "In `src/lib.rs`."),
            ("shared/cards/README.md", "tests/data/one.json"),
            ("a.md", "text/html and `application/json`"),
        ] {
            assert_eq!(dangling(path, text, &OTHERS), [""; 0], "{path}: {text}");
        }
    }

    #[test]
    fn missing_anchor_is_found() {
        let missing = ["docs/guide.md has no anchor \"there\""];
        assert_eq!(dangling("a.rs", "/// docs/guide.md#there", &OTHERS), missing);
        assert_eq!(dangling("a.md", "[a](docs/guide.md#there)", &OTHERS), missing);
        assert_eq!(
            dangling("a.md", "# A\n[a](#b)", &OTHERS),
            ["a.md has no anchor \"b\""]
        );
    }

    #[test]
    fn anchor_of_a_heading_or_an_id_passes() {
        for anchor in ["a-guide", "set-up-twice", "twice", "twice-1", "here"] {
            let text = format!("[a](docs/guide.md#{anchor}) and docs/guide.md#{anchor}.");
            assert_eq!(dangling("a.md", &text, &OTHERS), [""; 0], "{anchor}");
        }
    }

    #[test]
    fn dangling_link_is_found() {
        let nowhere = |target| vec![format!("the link {target} leads nowhere")];
        assert_eq!(dangling("docs/a.md", "[a](../b.md)", &OTHERS), nowhere("../b.md"));
        assert_eq!(
            dangling("docs/a.md", "[a](docs/guide.md)", &OTHERS),
            nowhere("docs/guide.md")
        );
        assert_eq!(
            dangling("shared/a.rs", "/// [a](guide.md)", &OTHERS),
            nowhere("guide.md")
        );
    }

    #[test]
    fn other_links_pass() {
        for (path, text) in [
            (
                "docs/a.md",
                "[a](guide.md), [b](../docs), [c](https://example.com)",
            ),
            ("docs/a.md", "`[a](missing.md)`"),
            ("docs/a.md", "```\n[a](missing.md)\n```"),
            ("a.rs", "/// [`Card`](crate::Card) and [a](Self::card)"),
        ] {
            assert_eq!(dangling(path, text, &OTHERS), [""; 0], "{path}: {text}");
        }
    }
}

#[test]
fn table_counts_by_folder_and_rule() {
    let finding = |path: &str, rule| Finding {
        path: path.to_owned(),
        line: 1,
        rule,
        detail: String::new(),
    };
    let findings = [
        finding("shared/cards/src/a.rs", Rule::DocOpener),
        finding("shared/cards/README.md", Rule::LineLength),
        finding("README.md", Rule::LineLength),
    ];
    let table = table(&findings);
    let rows: Vec<Vec<_>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert!(
        rows.contains(&vec!["shared/cards", "1", "0", "1", "0"]),
        "{table}"
    );
    assert!(rows.contains(&vec!["(root)", "0", "0", "1", "0"]), "{table}");
    assert!(rows.contains(&vec!["together", "1", "0", "2", "0"]), "{table}");
}
