//! The rooms of the crate and the arrows between them, as `docs/architecture.md` draws them: a room uses only rooms that stand
//! before it here.

use std::path::{Path, PathBuf};

tests![
    arrows_between_rooms_run_one_way,
    an_oracle_uses_no_logic_of_its_kernel,
    the_architecture_page_names_every_room,
];

/// From the lowest room to the highest. Rooms of one line do not use each other.
const ROOMS: &[&[&str]] = &[
    &["error", "memory", "colour", "size"],
    &["store", "stats", "processor"],
    &["device", "shader"],
    &["plan"],
    &["tensor"],
    &["kernel"],
    &["tape"],
    &["nn"],
    &["train"],
    &["io", "fem", "embed"],
    &["mmdi"],
    &["wave", "phantom"],
    &["patches"],
    &["dime"],
    &["proof"],
    &["bench"],
    &["cli"],
];

/// Kernels' types that their oracles take as parameters. Their methods hold no arithmetic of a kernel.
const SHARED_TYPES: &[&str] = &[
    "Activation",
    "Axis",
    "FftDirection",
    "Frames",
    "Geometry",
    "Grids",
    "Models",
    "OverlapSettings",
    "Per",
    "MmdiMap",
    "Pooling",
    "StepValues",
    "Upsampling",
    "Window",
    "SAMPLES",
    "Size",
    "AdamSettings",
    "Statistics",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn rank(room: &str) -> Option<usize> {
    ROOMS.iter().position(|line| line.contains(&room))
}

/// Every source file with its room.
fn files() -> Vec<(String, PathBuf)> {
    fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|e| e == "rs") {
                into.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&source(), &mut paths);
    paths.sort();
    let room = |path: &Path| {
        let first = path.strip_prefix(source()).expect("below src").components().next().expect("a room");
        first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_string()
    };
    let all = paths.into_iter().map(|path| (room(&path), path));
    all.filter(|(room, _)| room != "lib" && room != "main").collect()
}

/// The names behind `prefix` in a line of code: `crate::plan::Buf` uses `plan`, `crate::{device::Device, Error}` uses `device`.
fn used(line: &str, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    let ident = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    for (at, _) in line.match_indices(prefix) {
        let rest = &line[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(group) => {
                let mut depth = 0;
                for part in group.split_inclusive([',', '{', '}']) {
                    if depth == 0 {
                        found.push(ident(part));
                    }
                    depth += i32::from(part.ends_with('{')) - i32::from(part.ends_with('}'));
                    if depth < 0 {
                        break;
                    }
                }
            }
            None => found.push(ident(rest)),
        }
    }
    found.retain(|name| name.starts_with(char::is_lowercase));
    found
}

/// The lines of code of a file, numbered from 1, without comments and without its unit tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    lines.enumerate().map(|(i, line)| (i + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn arrows_between_rooms_run_one_way() {
    let mut faults = Vec::new();
    for (room, path) in files() {
        let own = rank(&room).unwrap_or_else(|| panic!("{}: room '{room}' is not in ROOMS", path.display()));
        let text = std::fs::read_to_string(&path).expect("text");
        let prefixes: &[&str] =
            if room == "cli" { &["palpate::lowlevel::", "palpate::"] } else { &["crate::", "$crate::"] };
        for (number, line) in code(&text) {
            for prefix in prefixes {
                for other in used(line, prefix) {
                    let allowed = other == room || rank(&other).is_none_or(|rank| rank < own);
                    if !allowed {
                        let file = path.strip_prefix(source()).expect("below src").display();
                        faults.push(format!("src/{file}:{number}: {room} must not use {other}"));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn an_oracle_uses_no_logic_of_its_kernel() {
    let mut faults = Vec::new();
    for (_, path) in files().into_iter().filter(|(room, _)| room == "proof") {
        let family = path.strip_prefix(source().join("proof")).expect("below proof").components().count() > 1;
        if !family || path.ends_with("mod.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        // Trials stand below their oracles, and look at both sides.
        let oracles = text.lines().take_while(|line| !line.contains("mod trial {"));
        for (number, line) in oracles.enumerate().filter(|(_, line)| line.contains("crate::kernel")) {
            let names = line.rsplit("::").next().unwrap_or_default();
            let names =
                names.trim_matches(|c: char| !c.is_alphanumeric() && c != '_').split(',').map(str::trim);
            for name in names.filter(|name| !SHARED_TYPES.contains(name)) {
                let file = path.strip_prefix(source()).expect("below src").display();
                faults.push(format!("src/{file}:{}: an oracle uses {name} of a kernel", number + 1));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn the_architecture_page_names_every_room() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let page = std::fs::read_to_string(page).expect("docs/architecture.md");
    for room in ROOMS.iter().flat_map(|line| line.iter()) {
        assert!(page.contains(&format!("`{room}`")), "docs/architecture.md does not name `{room}`");
    }
}
