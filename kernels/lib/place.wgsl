// The quad that a thread works on: quad number `quad` of pixel number `pixel`, in row y and column x of image n.
struct Place {
    quad: u32,
    pixel: u32,
    x: u32,
    y: u32,
    n: u32,
}

// The place of thread t in images of h rows and w columns. The quad varies fastest, so that neighbouring threads access
// neighbouring memory.
fn place(t: u32, h: u32, w: u32, quads: u32) -> Place {
    let pixel = t / quads;
    return Place(t % quads, pixel, pixel % w, pixel / w % h, pixel / w / h);
}
