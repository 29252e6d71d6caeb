// The planes of the maps [plane][ny][nx], in the order of `MmdiMap` in src/kernel/mre/planes.rs.
const STIFFNESS: u32 = 0;
const STORAGE: u32 = 1;
const LOSS: u32 = 2;
const WAVESPEED: u32 = 3;
const CONFIDENCE: u32 = 4;
const COHERENCE: u32 = 5;
const AMPLITUDE: u32 = 6;
const REAL: u32 = 7;
const IMAGINARY: u32 = 8;
