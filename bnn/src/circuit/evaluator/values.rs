//! The values of a circuit's wires.

/// Values of wires, while they are needed.
#[derive(Clone, Debug)]
pub(crate) struct Values<V> {
    held: Vec<Option<V>>,
    count: usize,
    most: usize,
}

impl<V> Values<V> {
    pub(super) fn new(wires: usize) -> Self {
        Self { held: (0..wires).map(|_| None).collect(), count: 0, most: 0 }
    }

    /// The value of a wire that is there by the order of the program.
    pub(super) fn read(&self, wire: usize) -> &V {
        self.held[wire]
            .as_ref()
            .expect("invariant: a program reads a wire after it is made and before it is freed")
    }

    pub(super) fn write(&mut self, wire: usize, value: V) {
        self.held[wire] = Some(value);
        self.count += 1;
        self.most = self.most.max(self.count);
    }

    pub(super) fn free(&mut self, wire: usize) {
        self.count -= usize::from(self.held[wire].take().is_some());
    }

    /// Whether a wire has a value.
    pub(super) fn has(&self, wire: usize) -> bool {
        self.held[wire].is_some()
    }

    /// The most values that were held at once.
    pub(super) fn most_held(&self) -> usize {
        self.most
    }

    /// The wires with their values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &V)> {
        self.held.iter().enumerate().filter_map(|(wire, value)| Some((wire, value.as_ref()?)))
    }
}

/// A bit between circuits: known, or a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Held<V> {
    /// Known to whoever knows the circuit.
    Known(bool),
    /// A value.
    Value(V),
}
