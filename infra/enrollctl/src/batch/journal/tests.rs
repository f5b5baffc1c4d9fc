use super::*;

/// Folder of a test, deleted with this value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("enrollctl-journal-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn journal(&self) -> PathBuf {
        self.0.join("window-000000.journal")
    }

    /// A journal of three batches.
    fn written(&self) -> Journal {
        let mut writer = JournalWriter::create(&self.journal()).unwrap();
        writer.add(&[2, 3], b"{\"body\":1}").unwrap();
        writer.add(&[4], b"{\"body\":2}").unwrap();
        writer.add(&[5, 7, 6], b"{\"body\":3}").unwrap();
        assert!(!self.journal().exists());
        writer.finish().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn states(journal: &Journal) -> Vec<BatchState> {
    journal.batches.iter().map(|batch| batch.state.clone()).collect()
}

#[test]
fn batches_come_back_as_they_were_written() {
    let scratch = Scratch::new("written");
    let written = scratch.written();
    let opened = Journal::open(&scratch.journal()).unwrap();
    assert_eq!(opened.batches, written.batches);
    let third = opened.prepared(2).unwrap();
    assert_eq!(
        (third.lines, third.body),
        (vec![5, 7, 6], b"{\"body\":3}".to_vec())
    );
    assert!(opened.prepared(3).is_err());
}

#[test]
fn states_come_back_as_they_were_noted() {
    let scratch = Scratch::new("states");
    let mut journal = scratch.written();
    journal.note_accepted(1, "b1").unwrap();
    journal.note_accepted(0, "b0").unwrap();
    journal.note_final(1, "4,c,k,accepted,,,,\n").unwrap();
    let accepted = BatchState::Accepted("b0".into());
    let expected = [accepted, BatchState::Final, BatchState::Prepared];
    for journal in [&journal, &Journal::open(&scratch.journal()).unwrap()] {
        assert_eq!(states(journal), expected);
        assert!(!journal.is_finished());
        assert_eq!(journal.rows().unwrap(), ["4,c,k,accepted,,,,\n"]);
    }
    // A repeated answer changes nothing.
    journal.note_final(1, "4,c,k,failed,,,,\n").unwrap();
    journal.note_accepted(1, "b9").unwrap();
    assert_eq!(states(&Journal::open(&scratch.journal()).unwrap()), expected);
    assert_eq!(journal.rows().unwrap(), ["4,c,k,accepted,,,,\n"]);
}

#[test]
fn journal_cut_at_any_byte_is_resumed_from_its_last_whole_entry() {
    let scratch = Scratch::new("cut");
    let mut journal = scratch.written();
    let prepared = fs::metadata(scratch.journal()).unwrap().len();
    let mut ends = vec![prepared];
    for (at, id) in [(0, "first"), (1, "second")] {
        journal.note_accepted(at, id).unwrap();
        ends.push(fs::metadata(scratch.journal()).unwrap().len());
    }
    journal
        .note_final(0, "2,c,k,accepted,,,,\n3,c,l,accepted,,,,\n")
        .unwrap();
    ends.push(fs::metadata(scratch.journal()).unwrap().len());
    let whole = fs::read(scratch.journal()).unwrap();
    let full = states(&journal);
    for cut in usize::try_from(prepared).unwrap()..=whole.len() {
        fs::write(scratch.journal(), &whole[..cut]).unwrap();
        let entries = ends.iter().filter(|end| **end <= cut as u64).count() - 1;
        let opened = Journal::open(&scratch.journal()).unwrap();
        let known = states(&opened);
        assert_eq!(known[1] != BatchState::Prepared, entries >= 2, "cut at {cut}");
        assert_eq!(known[0] == BatchState::Final, entries >= 3, "cut at {cut}");
        // What is appended after a repair is read again.
        Journal::repair(&scratch.journal()).unwrap();
        assert_eq!(fs::metadata(scratch.journal()).unwrap().len(), ends[entries]);
        let mut resumed = Journal::open(&scratch.journal()).unwrap();
        resumed.note_accepted(0, "first").unwrap();
        resumed.note_accepted(1, "second").unwrap();
        resumed
            .note_final(0, "2,c,k,accepted,,,,\n3,c,l,accepted,,,,\n")
            .unwrap();
        assert_eq!(
            states(&Journal::open(&scratch.journal()).unwrap()),
            full,
            "cut at {cut}"
        );
        assert_eq!(resumed.rows().unwrap().len(), 1);
    }
}

#[test]
fn changed_byte_is_noticed() {
    let scratch = Scratch::new("changed");
    let mut journal = scratch.written();
    journal.note_accepted(0, "first").unwrap();
    let whole = fs::read(scratch.journal()).unwrap();
    let batches: Vec<PreparedBatch> = (0..3).map(|at| journal.prepared(at).unwrap()).collect();
    let is_unchanged = |opened: &Journal| {
        let mut read = batches.iter().zip(0..);
        states(opened) == states(&journal)
            && read.all(|(batch, at)| opened.prepared(at).is_ok_and(|found| found == *batch))
    };
    assert!(is_unchanged(&Journal::open(&scratch.journal()).unwrap()));
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x20;
        fs::write(scratch.journal(), &changed).unwrap();
        let opened = Journal::open(&scratch.journal());
        assert!(!opened.is_ok_and(|opened| is_unchanged(&opened)), "byte {at}");
    }
}
