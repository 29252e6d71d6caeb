//! Transfer syntaxes: how a file stores its elements and its pixels.

/// How the pixels are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Native,
    Rle,
    LosslessJpeg,
}

/// A transfer syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Syntax {
    pub implicit: bool,
    pub big_endian: bool,
    /// The coding, or a clause about pixels that palpate cannot read.
    pub coding: Result<Coding, String>,
}

/// Explicit VR Little Endian, which palpate writes.
pub(super) const EXPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";

impl Syntax {
    /// The syntax of this identifier.
    ///
    /// # Errors
    /// A clause that names the syntax, and what helps, if not even the elements can be read.
    pub fn of(uid: &str) -> Result<Self, String> {
        let (implicit, big_endian, coding) = match uid.strip_prefix("1.2.840.10008.1.2") {
            Some("") => (true, false, Ok(Coding::Native)),
            Some(".1") => (false, false, Ok(Coding::Native)),
            Some(".2") => (false, true, Ok(Coding::Native)),
            Some(".5") => (false, false, Ok(Coding::Rle)),
            Some(".4.57" | ".4.70") => (false, false, Ok(Coding::LosslessJpeg)),
            rest => {
                let (name, remedy) = other(uid);
                let what = format!(
                    "is stored in a transfer syntax that palpate does not read ({name}, {uid}); {remedy}"
                );
                // The standard compresses only pixels, with one exception.
                if !rest.is_some_and(|rest| rest.starts_with(".4.")) {
                    return Err(what);
                }
                (false, false, Err(what))
            }
        };
        Ok(Self { implicit, big_endian, coding })
    }
}

/// The name of a transfer syntax that palpate does not read, and what converts it.
fn other(uid: &str) -> (&'static str, &'static str) {
    const RAW: &str = "convert the files, by gdcmconv --raw";
    let name = match uid.strip_prefix("1.2.840.10008.1.2.").unwrap_or_default() {
        "1.99" => return ("Deflated Explicit VR Little Endian", "convert the files, by dcmconv +te"),
        "4.50" => return ("JPEG Baseline, lossy", "convert the files, by dcmdjpeg"),
        "4.51" => return ("JPEG Extended, lossy", "convert the files, by dcmdjpeg"),
        "4.80" => "JPEG-LS Lossless",
        "4.81" => "JPEG-LS Near-lossless",
        "4.90" => "JPEG 2000 Lossless",
        "4.91" => "JPEG 2000",
        "4.92" => "JPEG 2000 Multi-component Lossless",
        "4.93" => "JPEG 2000 Multi-component",
        "4.110" => "JPEG XL Lossless",
        "4.111" | "4.112" => "JPEG XL",
        "4.201" => "High-Throughput JPEG 2000 Lossless",
        "4.202" | "4.203" => "High-Throughput JPEG 2000",
        "4.100" | "4.101" => "MPEG-2",
        "4.102" | "4.103" | "4.104" | "4.105" | "4.106" => "MPEG-4",
        "4.107" | "4.108" => "HEVC",
        _ => "unknown",
    };
    (name, RAW)
}
