//! Checks of a function's `bootstrap` before it is deployed.
//!
//! AWS deploys any file, and a wrong one fails only at the function's start.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context as _, Result};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use object::elf::{self, FileHeader64, FileType, Machine};
use object::read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _};
use object::{LittleEndian, Object as _};

/// glibc of Amazon Linux 2023, of which the runtime `provided.al2023` is made.
const AMAZON_LINUX_GLIBC: Glibc = Glibc([2, 34, 0]);
/// Parts of glibc, and the library for unwinding: the only libraries that the runtime is known to have.
const AMAZON_LINUX_LIBRARIES: [&str; 7] = [
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
];
/// Bound of a function's zip, in bytes: what is loaded at a cold start.
const ZIP_BOUND: u64 = 5_000_000;

/// Processor that a function runs on, named as the parameter `Architecture` of template.yaml has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Architecture {
    X86_64,
    Arm64,
}

/// Machine that a function is to run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// AWS Lambda with the runtime `provided.al2023`.
    Aws(Architecture),
    /// This machine, for which cargo itself built the function.
    ThisMachine,
}

/// Reason for which a `bootstrap` can't be deployed, with the way out.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BootstrapError {
    #[error("it is not a 64-bit Linux program (ELF): build it with `cargo xtask build`")]
    Format,
    #[error("it is damaged ({0}): delete it and run `cargo xtask build`")]
    Damaged(object::read::Error),
    #[error(
        "it is built for {found}, not for {wanted}: run `cargo xtask build {}`, or deploy with Architecture={found}",
        wanted.option()
    )]
    Architecture {
        found: Architecture,
        wanted: Architecture,
    },
    #[error("it is built for a processor that Lambda does not have: run `cargo xtask build`")]
    Processor,
    #[error("it is a library or an object file, not a program: build it with `cargo xtask build`")]
    NoProgram,
    #[error(
        "it is started by {0:?}, which Amazon Linux 2023 does not have: build it with `cargo xtask build`"
    )]
    Interpreter(String),
    #[error("it needs the library {0:?}, which the runtime does not have: remove what links it")]
    Library(String),
    #[error(
        "it needs glibc {0}, but Amazon Linux 2023 has {AMAZON_LINUX_GLIBC}: build it with `cargo xtask build`"
    )]
    Glibc(Glibc),
    #[error("it needs {0:?}, a private glibc symbol version: build it with `cargo xtask build`")]
    PrivateVersion(String),
    #[error("it does not say which versions of libraries it needs: build it with `cargo xtask build`")]
    NoVersions,
    #[error(
        "its zip has {0} bytes, but the bound is {ZIP_BOUND}: look for the dependency that makes it large"
    )]
    Size(u64),
}

/// Version of glibc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Glibc([u16; 3]);

impl Architecture {
    pub(crate) const ALL: [Self; 2] = [Self::X86_64, Self::Arm64];

    /// Architecture of this machine.
    pub(crate) const fn here() -> Self {
        if cfg!(target_arch = "aarch64") {
            Self::Arm64
        } else {
            Self::X86_64
        }
    }

    /// Option of `cargo xtask build`.
    pub(crate) const fn option(self) -> &'static str {
        match self {
            Self::X86_64 => "--x86-64",
            Self::Arm64 => "--arm64",
        }
    }

    /// Rust's name of the target.
    pub(crate) const fn target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// The same with the glibc to link against, as zig takes it.
    pub(crate) fn target_with_glibc(self) -> String {
        format!("{}.{AMAZON_LINUX_GLIBC}", self.target())
    }

    const fn machine(self) -> Machine {
        match self {
            Self::X86_64 => elf::EM_X86_64,
            Self::Arm64 => elf::EM_AARCH64,
        }
    }

    /// Dynamic loader of glibc, also the name by which a program may need it as a library.
    const fn loader(self) -> (&'static str, &'static str) {
        match self {
            Self::X86_64 => ("/lib64/", "ld-linux-x86-64.so.2"),
            Self::Arm64 => ("/lib/", "ld-linux-aarch64.so.1"),
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        })
    }
}

impl fmt::Display for Glibc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(formatter, "{major}.{minor}")?;
        if patch > 0 {
            write!(formatter, ".{patch}")?;
        }
        Ok(())
    }
}

impl Glibc {
    /// Reads the name of a symbol version after `GLIBC_`: two or three numbers.
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = [0; 3];
        let mut count = 0;
        for (number, part) in text.split('.').enumerate() {
            *numbers.get_mut(number)? = part.parse().ok()?;
            count += 1;
        }
        (count >= 2).then_some(Self(numbers))
    }
}

/// Checks a `bootstrap` file. The error names the file, what is wrong and what to do.
pub(crate) fn check(file: &Path, destination: Destination) -> Result<()> {
    let content = fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
    // Elsewhere cargo makes no ELF files, and the local AWS runs what it made.
    if destination != Destination::ThisMachine || cfg!(target_os = "linux") {
        examine(&content, destination).with_context(|| format!("{} can't be deployed", file.display()))?;
    }
    if let Destination::Aws(_) = destination {
        check_size(&content).with_context(|| format!("{} can't be deployed", file.display()))?;
    }
    Ok(())
}

/// Checks the content of a `bootstrap`.
fn examine(content: &[u8], destination: Destination) -> Result<(), BootstrapError> {
    let header = FileHeader64::<LittleEndian>::parse(content).map_err(|_| BootstrapError::Format)?;
    if !header.is_class_64() || header.endian().is_err() {
        return Err(BootstrapError::Format);
    }
    let wanted = match destination {
        Destination::Aws(architecture) => architecture,
        Destination::ThisMachine => Architecture::here(),
    };
    let machine = header.e_machine(LittleEndian);
    let found = Architecture::ALL
        .into_iter()
        .find(|architecture| architecture.machine() == machine)
        .ok_or(BootstrapError::Processor)?;
    if found != wanted {
        return Err(BootstrapError::Architecture { found, wanted });
    }
    let file = ElfFile64::<LittleEndian>::parse(content).map_err(BootstrapError::Damaged)?;
    let interpreter = interpreter(&file).map_err(BootstrapError::Damaged)?;
    check_type(header.e_type(LittleEndian), interpreter.is_some())?;
    match destination {
        Destination::Aws(architecture) => check_runtime(&file, interpreter, architecture),
        Destination::ThisMachine => Ok(()),
    }
}

/// A position-independent program has the type of a library, but names the loader that starts it.
fn check_type(found: FileType, has_interpreter: bool) -> Result<(), BootstrapError> {
    if found == elf::ET_EXEC || (found == elf::ET_DYN && has_interpreter) {
        Ok(())
    } else {
        Err(BootstrapError::NoProgram)
    }
}

/// Checks loader, libraries and their versions against those of Amazon Linux 2023.
fn check_runtime(
    file: &ElfFile64<'_, LittleEndian>,
    interpreter: Option<&[u8]>,
    architecture: Architecture,
) -> Result<(), BootstrapError> {
    // A static program starts anywhere.
    let Some(interpreter) = interpreter.map(readable) else {
        return Ok(());
    };
    let (folder, loader) = architecture.loader();
    if interpreter != format!("{folder}{loader}") {
        return Err(BootstrapError::Interpreter(interpreter));
    }
    for library in file.import_libraries().map_err(BootstrapError::Damaged)? {
        let name = readable(library.map_err(BootstrapError::Damaged)?.name());
        if name != loader && !AMAZON_LINUX_LIBRARIES.contains(&name.as_str()) {
            return Err(BootstrapError::Library(name));
        }
    }
    check_versions(file)
}

/// Checks the versions of glibc's symbols. A program that was linked against a newer glibc needs newer versions.
fn check_versions(file: &ElfFile64<'_, LittleEndian>) -> Result<(), BootstrapError> {
    let sections = file.elf_section_table();
    let needs = sections
        .gnu_verneed(LittleEndian, file.data())
        .map_err(BootstrapError::Damaged)?;
    let Some((libraries, strings)) = needs else {
        return Err(BootstrapError::NoVersions);
    };
    let strings = sections
        .strings(LittleEndian, file.data(), strings)
        .map_err(BootstrapError::Damaged)?;
    let mut newest = None;
    for library in libraries {
        let (_, versions) = library.map_err(BootstrapError::Damaged)?;
        for version in versions {
            let version = version.map_err(BootstrapError::Damaged)?;
            let name = version
                .name(LittleEndian, strings)
                .map_err(BootstrapError::Damaged)?;
            let name = readable(name);
            let Some(number) = name.strip_prefix("GLIBC_") else {
                continue;
            };
            let version = Glibc::parse(number).ok_or_else(|| BootstrapError::PrivateVersion(name.clone()))?;
            newest = newest.max(Some(version));
        }
    }
    match newest {
        Some(newest) if newest > AMAZON_LINUX_GLIBC => Err(BootstrapError::Glibc(newest)),
        _ => Ok(()),
    }
}

/// Loader that the program names.
fn interpreter<'data>(file: &ElfFile64<'data, LittleEndian>) -> object::read::Result<Option<&'data [u8]>> {
    for segment in file.elf_program_headers() {
        if let Some(path) = segment.interpreter(LittleEndian, file.data())? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Measures the content as a zip stores it: deflated, without the few bytes of the archive around it.
fn check_size(content: &[u8]) -> Result<()> {
    let mut encoder = DeflateEncoder::new(Count(0), Compression::default());
    encoder.write_all(content)?;
    let size = encoder.finish()?.0;
    if size > ZIP_BOUND {
        return Err(BootstrapError::Size(size).into());
    }
    Ok(())
}

/// Counts what is written.
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn readable(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_glibc_are_compared_by_number() {
        let parse = |text| Glibc::parse(text).unwrap();
        assert!(parse("2.4") < AMAZON_LINUX_GLIBC);
        assert!(parse("2.2.5") < parse("2.3"));
        assert!(parse("2.34.1") > AMAZON_LINUX_GLIBC);
        assert_eq!(parse("2.34"), AMAZON_LINUX_GLIBC);
        assert_eq!(parse("2.2.5").to_string(), "2.2.5");
        for text in [
            "",
            "2",
            "2.",
            "2.x",
            "2.3.4.5",
            "ABI_DT_RELR",
            "PRIVATE",
            "70000.1",
        ] {
            assert_eq!(Glibc::parse(text), None, "{text}");
        }
    }

    #[test]
    fn other_formats_than_elf_are_refused() {
        for content in [&b""[..], b"#!/bin/sh\n", b"\x7fELF", b"\xcf\xfa\xed\xfe Mach-O"] {
            let error = examine(content, Destination::Aws(Architecture::Arm64)).unwrap_err();
            assert_eq!(error, BootstrapError::Format);
        }
    }

    #[test]
    fn zip_beyond_the_bound_is_refused() {
        // Incompressible, from a generator that is good enough for that.
        let mut state = 1_u64;
        let content: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state.to_be_bytes()[0]
        })
        .take(5_000_001)
        .collect();
        let error = check_size(&content).unwrap_err().to_string();
        assert!(error.contains("the bound is 5000000"), "{error}");
        check_size(&vec![0; 10_000_000]).unwrap();
    }

    /// Tests with this program itself, of which single bytes are changed.
    #[cfg(target_os = "linux")]
    mod with_a_program {
        use std::ops::Range;
        use std::sync::{LazyLock, Mutex};

        use object::ObjectSection as _;
        use proptest::prelude::*;

        use super::super::*;

        static PROGRAM: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let mut content = fs::read(std::env::current_exe().unwrap()).unwrap();
            // This machine's glibc may be newer.
            for newer in 35..70 {
                replace(&mut content, &format!("GLIBC_2.{newer}\0"), "GLIBC_2.34\0");
            }
            content
        });
        const HERE: Destination = Destination::Aws(Architecture::here());

        /// Replaces every occurrence in the names that the loader reads, and returns how many there were.
        fn replace(content: &mut [u8], from: &str, to: &str) -> usize {
            let (from, to) = (from.as_bytes(), to.as_bytes());
            assert_eq!(from.len(), to.len());
            let mut count = 0;
            for names in names(content) {
                for position in names {
                    if content[position..].starts_with(from) {
                        content[position..position + to.len()].copy_from_slice(to);
                        count += 1;
                    }
                }
            }
            count
        }

        /// Places of the loader's path and of the table of names.
        fn names(content: &[u8]) -> Vec<Range<usize>> {
            let file = ElfFile64::<LittleEndian>::parse(content).unwrap();
            [".interp", ".dynstr"]
                .into_iter()
                .map(|name| {
                    let (start, size) = file.section_by_name(name).unwrap().file_range().unwrap();
                    let start = usize::try_from(start).unwrap();
                    start..start + usize::try_from(size).unwrap()
                })
                .collect()
        }

        fn refusal(change: impl FnOnce(&mut Vec<u8>)) -> BootstrapError {
            let mut content = PROGRAM.clone();
            change(&mut content);
            examine(&content, HERE).unwrap_err()
        }

        #[test]
        fn a_program_of_this_machine_is_taken() {
            assert_eq!(examine(&PROGRAM, HERE), Ok(()));
            assert_eq!(examine(&PROGRAM, Destination::ThisMachine), Ok(()));
        }

        #[test]
        fn the_other_architecture_is_refused() {
            let other = Architecture::ALL
                .into_iter()
                .find(|one| *one != Architecture::here())
                .unwrap();
            let error = examine(&PROGRAM, Destination::Aws(other)).unwrap_err();
            assert_eq!(
                error,
                BootstrapError::Architecture {
                    found: Architecture::here(),
                    wanted: other
                }
            );
            assert!(error.to_string().contains(other.option()));
            let relabeled =
                refusal(|content| content[18..20].copy_from_slice(&other.machine().0.to_le_bytes()));
            assert!(matches!(relabeled, BootstrapError::Architecture { .. }));
            let risc_v = refusal(|content| content[18..20].copy_from_slice(&elf::EM_RISCV.0.to_le_bytes()));
            assert_eq!(risc_v, BootstrapError::Processor);
        }

        #[test]
        fn a_newer_glibc_is_refused() {
            for (version, error) in [
                ("GLIBC_2.35\0", BootstrapError::Glibc(Glibc([2, 35, 0]))),
                ("GLIBC_2.39\0", BootstrapError::Glibc(Glibc([2, 39, 0]))),
                (
                    "GLIBC_PRIV\0",
                    BootstrapError::PrivateVersion("GLIBC_PRIV".to_owned()),
                ),
            ] {
                assert_eq!(
                    refusal(|content| assert!(replace(content, "GLIBC_2.34\0", version) > 0)),
                    error
                );
            }
            let mut content = PROGRAM.clone();
            replace(&mut content, "GLIBC_2.34\0", "GLIBC_2.39\0");
            assert_eq!(
                examine(&content, Destination::ThisMachine),
                Ok(()),
                "this machine has its own glibc"
            );
        }

        #[test]
        fn foreign_libraries_and_loaders_are_refused() {
            let (folder, loader) = Architecture::here().loader();
            let renamed = format!("{folder}{}", loader.replace("ld-linux", "ld-musl_"));
            let error =
                refusal(|content| assert!(replace(content, &format!("{folder}{loader}"), &renamed) > 0));
            assert_eq!(error, BootstrapError::Interpreter(renamed));
            let error = refusal(|content| assert!(replace(content, "libc.so.6\0", "libq.so.6\0") > 0));
            assert_eq!(error, BootstrapError::Library("libq.so.6".to_owned()));
        }

        #[test]
        fn an_object_file_is_refused() {
            let error = refusal(|content| content[16..18].copy_from_slice(&elf::ET_REL.0.to_le_bytes()));
            assert_eq!(error, BootstrapError::NoProgram);
        }

        #[test]
        fn a_program_without_section_headers_is_refused() {
            // e_shoff, then e_shnum and e_shstrndx: what else says which versions are needed is not read.
            let error = refusal(|content| {
                content[40..48].fill(0);
                content[60..64].fill(0);
            });
            assert_eq!(error, BootstrapError::NoVersions);
        }

        #[test]
        fn a_cut_off_program_is_refused() {
            for length in [64, 1000, PROGRAM.len() / 2, PROGRAM.len() - 1] {
                assert!(examine(&PROGRAM[..length], HERE).is_err(), "{length}");
            }
        }

        proptest! {
            #[test]
            fn any_bytes_are_judged(content in proptest::collection::vec(any::<u8>(), 0..2000)) {
                prop_assert!(examine(&content, HERE).is_err());
            }

            #[test]
            fn any_headers_are_judged(
                patches in proptest::collection::vec((0..1024_usize, any::<u8>()), 1..8),
                ending in proptest::collection::vec((1..4096_usize, any::<u8>()), 0..8),
            ) {
                // In place: the program is large.
                let mut content = PATCHED.lock().unwrap();
                let length = content.len();
                let patches = patches.into_iter().chain(ending.into_iter().map(|(back, byte)| (length - back, byte)));
                let old: Vec<(usize, u8)> = patches
                    .map(|(position, byte)| (position, std::mem::replace(&mut content[position], byte)))
                    .collect();
                let _ = examine(&content, HERE);
                for (position, byte) in old.into_iter().rev() {
                    content[position] = byte;
                }
            }
        }

        static PATCHED: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(|| Mutex::new(PROGRAM.clone()));
    }
}
