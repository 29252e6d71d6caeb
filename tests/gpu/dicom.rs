//! DICOM files, as a scanner's research sequence writes them.

use crate::files::SIZE;

/// A single-frame MR image with explicit VR, as a scanner's research sequence writes it.
pub fn dicom(pixels: &[u16], slice: usize, number: usize, comment: &str) -> Vec<u8> {
    let mut set: Vec<(u16, u16, &[u8; 2], Vec<u8>)> = Vec::new();
    let mut add = |group: u16, element: u16, vr: &'static [u8; 2], mut value: Vec<u8>| {
        if !value.len().is_multiple_of(2) {
            value.push(if vr == b"UI" { 0 } else { b' ' });
        }
        set.push((group, element, vr, value));
    };
    let text = |value: &str| value.as_bytes().to_vec();
    let short = |value: u16| value.to_le_bytes().to_vec();
    let uid = format!("1.2.826.0.1.3680043.2.1125.1.{number}");
    let [nx, ny] = SIZE.axes().map(|n| n as u16);
    add(0x0008, 0x0008, b"CS", text("ORIGINAL\\PRIMARY\\P\\ND"));
    add(0x0008, 0x0016, b"UI", text("1.2.840.10008.5.1.4.1.1.4"));
    add(0x0008, 0x0018, b"UI", text(&uid));
    add(0x0008, 0x0060, b"CS", text("MR"));
    add(0x0008, 0x103e, b"LO", text("mre"));
    add(0x0010, 0x0010, b"PN", text("Somebody^Secret"));
    add(0x0010, 0x0020, b"LO", text("PATIENT77"));
    add(0x0020, 0x000d, b"UI", text("1.2.826.0.1.3680043.2.1125.2"));
    add(0x0020, 0x000e, b"UI", text("1.2.826.0.1.3680043.2.1125.3"));
    add(0x0020, 0x0011, b"IS", text("46"));
    add(0x0020, 0x0013, b"IS", text(&number.to_string()));
    add(0x0020, 0x0032, b"DS", text(&format!("-30\\-25\\{}", 10 + 5 * slice)));
    add(0x0020, 0x0037, b"DS", text("1\\0\\0\\0\\1\\0"));
    add(0x0020, 0x0052, b"UI", text("1.2.826.0.1.3680043.2.1125.4"));
    add(0x0020, 0x4000, b"LT", text(comment));
    add(0x0028, 0x0002, b"US", short(1));
    add(0x0028, 0x0004, b"CS", text("MONOCHROME2"));
    add(0x0028, 0x0010, b"US", short(ny));
    add(0x0028, 0x0011, b"US", short(nx));
    add(0x0028, 0x0030, b"DS", text("1.5\\1.5"));
    for (element, value) in [(0x0100, 16), (0x0101, 16), (0x0102, 15), (0x0103, 0)] {
        add(0x0028, element, b"US", short(value));
    }
    add(0x0028, 0x1052, b"DS", text("-4000"));
    add(0x0028, 0x1053, b"DS", text("0.5"));
    add(0x7fe0, 0x0010, b"OW", pixels.iter().flat_map(|v| v.to_le_bytes()).collect());
    let encode = |set: &[(u16, u16, &[u8; 2], Vec<u8>)]| {
        let mut out = Vec::new();
        for (group, element, vr, value) in set {
            out.extend([group.to_le_bytes(), element.to_le_bytes()].concat());
            out.extend(*vr);
            if *vr == b"OW" {
                out.extend([0; 2]);
                out.extend((value.len() as u32).to_le_bytes());
            } else {
                out.extend((value.len() as u16).to_le_bytes());
            }
            out.extend(value);
        }
        out
    };
    let padded = |value: &str| {
        let mut value = text(value);
        if !value.len().is_multiple_of(2) {
            value.push(0);
        }
        value
    };
    let meta = encode(&[
        (0x0002, 0x0002, b"UI", padded("1.2.840.10008.5.1.4.1.1.4")),
        (0x0002, 0x0003, b"UI", padded(&uid)),
        (0x0002, 0x0010, b"UI", padded("1.2.840.10008.1.2.1")),
    ]);
    let length = encode(&[(0x0002, 0x0000, b"UL", (meta.len() as u32).to_le_bytes().to_vec())]);
    [vec![0; 128], b"DICM".to_vec(), length, meta, encode(&set)].concat()
}
