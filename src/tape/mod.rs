//! Tapes. A tape describes a computation as data: operations over numbered variables, in order. It can be printed. Its
//! operations check their shapes when they are put on. [`Tape::gradients`] puts on the operations that compute
//! gradients.
//! [`Lowering`] turns the wanted variables into dispatches.

mod backward;
mod lower;
pub mod ops;

pub use lower::{Leaves, Lowering};

use crate::error::{Error, Result};
use crate::tensor::Shape;
pub use ops::Op;

/// A variable of a tape: the result of the operation with the same number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Var(usize);

impl std::fmt::Debug for Var {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "%{}", self.0)
    }
}

/// A list of operations in the order of their computation.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
struct Node {
    op: Op,
    shape: Shape,
}

/// The scale and the shift of a norm, if it has them.
pub type Affine = Option<[Var; 2]>;

impl Tape {
    /// An empty tape.
    pub fn new() -> Self {
        Self::default()
    }

    /// The shape of `var`.
    pub fn shape(&self, var: Var) -> Shape {
        self.nodes[var.0].shape
    }

    /// The operation that makes `var`.
    pub fn op(&self, var: Var) -> &Op {
        &self.nodes[var.0].op
    }

    /// Every variable, in order.
    pub fn vars(&self) -> impl DoubleEndedIterator<Item = Var> + use<> {
        (0..self.nodes.len()).map(Var)
    }

    fn push(&mut self, op: impl Into<Op>, shape: Shape) -> Var {
        self.nodes.push(Node { op: op.into(), shape });
        Var(self.nodes.len() - 1)
    }

    fn require(&self, holds: bool, what: &str, vars: &[Var]) -> Result<()> {
        if holds {
            return Ok(());
        }
        let shapes: Vec<_> = vars.iter().map(|v| self.shape(*v).to_string()).collect();
        Err(Error::Usage(format!("{what}; given: {}", shapes.join(" and "))))
    }
}

impl std::fmt::Display for Tape {
    /// Writes one line per operation: its variable, shape, name and inputs.
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        for (i, node) in self.nodes.iter().enumerate() {
            let op = node.op.describe();
            writeln!(f, "%{i:<4} {:<22} {op}", node.shape.to_string())?;
        }
        Ok(())
    }
}
