// The quad a thread works on: number `quad` of `pixel`, which is row y and column x of image n.
struct Place {
    quad: u32,
    pixel: u32,
    x: u32,
    y: u32,
    n: u32,
}

// Of thread t among images of h rows and w columns: quad fastest, so that neighbours touch neighbouring
// memory.
fn place(t: u32, h: u32, w: u32, quads: u32) -> Place {
    let pixel = t / quads;
    return Place(t % quads, pixel, pixel % w, pixel / w % h, pixel / w / h);
}
