//! From the nodes of a file to layers.
//!
//! The values of a picture keep a canonical order, which is that of the integer network: channels of rows of columns. Nodes
//! that transpose or reshape move nothing. They change the order in which the next node sees the values, and a dense layer
//! then has its columns in another order.

use std::{collections::BTreeMap, iter::successors, sync::Arc};

use super::{
    constant::{
        Types, arithmetic, axes, broadcast, byte_range, compute, integers, is_real, permutation, quant_range,
        reshaped, squeezed, transposed, unsqueezed,
    },
    fault::{ImportFault, Result},
    graph::{BIPOLAR_QUANT, Graph, Node, QUANT},
    network::{Curve, Grid, Linear, Operation, RealLayer, RealNetwork, Window},
    tensor::Tensor,
};
use crate::{
    client::shape::{MOST_CHANNELS, Shape},
    text::one_line,
};

/// The largest side of a picture, and the most layers.
const MOST_SIDE: usize = 256;
const MOST_LAYERS: usize = 256;
/// How often a number of the file may be in a constant or a layer, on average.
const TIMES_READ: usize = 4;
/// More values than there are between two layers.
const MOST_VALUES: usize = 1 << 20;

/// The values of a picture between two nodes.
#[derive(Clone)]
struct Values {
    /// The layer that gives them; none for the picture.
    layer: Option<usize>,
    /// Their shape in the file; the first is the batch, 1.
    dims: Vec<usize>,
    /// For each place in the file's order the place in the canonical one.
    order: Arc<[usize]>,
    /// Their canonical shape.
    shape: Shape,
    /// The step and the zero point, if a node made integers of them, which the next is to undo.
    in_steps: Option<(f64, f64)>,
}

/// Reads the layers of a network.
///
/// # Errors
/// [`ImportFault`], naming the node.
pub(super) fn read(graph: Graph) -> Result<RealNetwork> {
    let (input, order) = picture(&graph.input_dims)?;
    let in_file: usize = graph.tensors.values().map(|tensor| tensor.data.len()).sum();
    let picture = Values {
        layer: None,
        dims: [1].into_iter().chain(graph.input_dims[1..].iter().copied()).collect(),
        order: order.into(),
        shape: input,
        in_steps: None,
    };
    let mut readers: BTreeMap<String, usize> = BTreeMap::new();
    for name in graph.nodes.iter().flat_map(|node| &node.inputs).chain([&graph.output]) {
        *readers.entry(name.clone()).or_default() += 1;
    }
    let mut reader = Reader {
        values: picture.clone(),
        known: BTreeMap::from([(graph.input.clone(), picture)]),
        readers,
        constants: graph.tensors,
        types: graph.types,
        seen: BTreeMap::from([(graph.input, String::new())]),
        layers: Vec::new(),
        is_over: None,
        numbers_left: TIMES_READ * in_file + MOST_VALUES,
    };
    for node in &graph.nodes {
        reader.node(node)?;
    }
    reader.check_output(&graph.output)?;
    Ok(RealNetwork { input, layers: reader.layers })
}

/// The shape of the picture, by the dimensions of the input: channels before the rows and columns or after, or none; or a list of
/// pixels, which is taken for a square. And the order of the file's values, as [`Values`] has it.
fn picture(dims: &[usize]) -> Result<(Shape, Vec<usize>)> {
    let refuse = |what: &str| {
        let reason = format!(
            "its input has the shape {dims:?}{what}: pictures of 1 to {MOST_CHANNELS} channels are read, [N, channels, height, width]"
        );
        Err(ImportFault::Network { reason })
    };
    let few = 1..=MOST_CHANNELS;
    // Where either could be the channels, the other two are the sides of a square, or there are fewer channels than rows.
    let is_last = match *dims {
        [_, 1, _, _] => false,
        [_, a, b, c] if a == b || b == c => b != c && few.contains(&c),
        [_, a, _, c] => c < a && few.contains(&c),
        _ => false,
    };
    let (channels, height, width) = match *dims {
        [_, height, width, channels] if is_last => (channels, height, width),
        [_, channels, height, width] if few.contains(&channels) => (channels, height, width),
        [_, height, width] => (1, height, width),
        [_, pixels] if pixels.isqrt().pow(2) == pixels => (1, pixels.isqrt(), pixels.isqrt()),
        _ => return refuse(""),
    };
    if height == 0 || width == 0 {
        return refuse(", of which a side has no number");
    }
    if height.max(width) > MOST_SIDE {
        return refuse(", which is too large");
    }
    let shape = Shape { channels, height, width };
    let place = |place: usize| match is_last {
        true => shape.place(place % channels, place / channels / width, place / channels % width),
        false => place,
    };
    Ok((shape, (0..shape.values()).map(place).collect()))
}

struct Reader {
    /// What the node at hand reads, and then what it gives.
    values: Values,
    /// What nodes gave that others will read, by its name in the file; and how many nodes read each name.
    known: BTreeMap<String, Values>,
    readers: BTreeMap<String, usize>,
    constants: BTreeMap<String, Tensor>,
    types: Types,
    /// What was given before, and by which node.
    seen: BTreeMap<String, String>,
    layers: Vec<RealLayer>,
    /// The node after which nothing may come.
    is_over: Option<String>,
    /// Numbers that constants and layers may still have: a few of each in the file, so that a small file takes little memory.
    numbers_left: usize,
}

impl Reader {
    fn node(&mut self, node: &Node) -> Result<()> {
        let is_given = |name: &&String| !name.is_empty() && !self.constants.contains_key(*name);
        let given: Vec<&String> = node.inputs.iter().filter(is_given).collect();
        let [output, ..] = &node.outputs[..] else { return Err(node.fault("it gives nothing")) };
        if self.seen.contains_key(output) || self.constants.contains_key(output) {
            return Err(node.fault(format!("{:?} is given twice", one_line(output))));
        }
        let output = output.clone();
        if given.is_empty() {
            // No operation gives more numbers than its largest input has, or a shape.
            let known = node.inputs.iter().filter_map(|name| self.constants.get(name));
            let most = known.map(|tensor| tensor.data.len()).max().unwrap_or_default();
            self.spend(node, most.max(1))?;
            let inputs: Vec<Option<&Tensor>> =
                node.inputs.iter().map(|name| self.constants.get(name)).collect();
            let constant = compute(node, &inputs, &self.types)?
                .ok_or_else(|| node.fault("it is not computed on constants"))?;
            if constant.data.iter().any(|number| !number.is_finite()) {
                return Err(node.fault("it gives a number that is infinite or none"));
            }
            if node.kind == "Constant" {
                // Its numbers are in the file like those of any tensor.
                self.numbers_left = self.numbers_left.saturating_add(TIMES_READ * constant.data.len());
                self.types.extend(node.tensor_type("value").map(|kind| (output.clone(), kind)));
            }
            self.constants.insert(output, constant);
            return Ok(());
        }
        for name in &given {
            if !self.seen.contains_key(*name) {
                return Err(node.fault(format!(
                    "it reads {:?}, which no tensor is and no node before it gives",
                    one_line(name)
                )));
            }
        }
        let read: Vec<Values> = given.iter().map(|name| self.take(name)).collect();
        self.values = read[0].clone();
        if node.kind == "Shape" {
            let dims = self.values.dims.iter().map(|&dim| dim as f64).collect();
            if node.has(&["start", "end"]) {
                return Err(node.fault("a part of a shape (`start`, `end`) is not read"));
            }
            self.constants.insert(output, Tensor::integers(dims));
            return Ok(());
        }
        if let Some(over) = &self.is_over {
            return Err(node.fault(format!("nothing can follow node {over:?}")));
        }
        match (&read[..], &*node.kind) {
            ([first, second], "Add") => self.addition(node, first, second)?,
            ([_], kind) => {
                if node.inputs.first() != Some(given[0]) && !["Add", "Sub", "Mul", "Div"].contains(&kind) {
                    return Err(node.fault("the values of the network are to be its first input"));
                }
                match self.values.in_steps.take() {
                    Some(steps) => self.undo_steps(node, steps)?,
                    None => self.layer(node)?,
                }
            }
            _ => {
                return Err(node.fault(
                    "it reads the values of the network twice, which of all operations Add alone may do",
                ));
            }
        }
        self.seen.insert(output.clone(), node.name.clone());
        let readers = self.readers.get(&output).copied().unwrap_or_default();
        if readers > 1 {
            // Kept for a while, unlike the others.
            self.spend(node, self.values.order.len())?;
        }
        if readers > 0 {
            self.known.insert(output, self.values.clone());
        }
        if self.layers.len() > MOST_LAYERS {
            return Err(node.fault(format!("more than {MOST_LAYERS} layers")));
        }
        Ok(())
    }

    /// Values that are known, for one of their readers.
    fn take(&mut self, name: &str) -> Values {
        let invariant = "invariant: what was given is known to all its readers";
        let left = self.readers.get_mut(name).expect(invariant);
        *left -= 1;
        if *left == 0 { self.known.remove(name).expect(invariant) } else { self.known[name].clone() }
    }

    /// Refuses a network whose output is not what its last layer gives, or of which a part leads nowhere.
    fn check_output(&mut self, output: &str) -> Result<()> {
        let last = self.layers.len().checked_sub(1);
        if self.known.get(output).is_none_or(|values| values.layer != last) {
            let last = self
                .layers
                .last()
                .map_or("its input".into(), |layer| format!("node {:?}", one_line(&layer.name)));
            return Err(ImportFault::Network {
                reason: format!("its output {:?} is not what its last layer gives, {last}", one_line(output)),
            });
        }
        let mut is_read = vec![false; self.layers.len()];
        self.layers.iter().flat_map(RealLayer::sources).for_each(|read| is_read[read] = true);
        is_read.pop();
        match is_read.iter().position(|is_read| !is_read) {
            None => Ok(()),
            Some(layer) => {
                let node = one_line(&self.layers[layer].name);
                Err(ImportFault::Network { reason: format!("what node {node:?} gives leads nowhere") })
            }
        }
    }

    /// The sum of what two nodes give.
    fn addition(&mut self, node: &Node, first: &Values, second: &Values) -> Result<()> {
        if first.in_steps.is_some() || second.in_steps.is_some() {
            return Err(
                node.fault("integers (QuantizeLinear) are to become what they were (DequantizeLinear) first")
            );
        }
        if first.dims != second.dims || first.order != second.order || first.shape != second.shape {
            return Err(node.fault(format!(
                "values of the shape {:?} are added to values of the shape {:?}",
                second.dims, first.dims
            )));
        }
        let (Some(a), Some(b)) = (first.layer, second.layer) else {
            return Err(node.fault("the picture itself is added: let a convolution come before"));
        };
        if a.max(b) + 1 != self.layers.len() {
            return Err(node.fault("neither of its inputs comes from the layer just before it"));
        }
        self.values = if a > b { first.clone() } else { second.clone() };
        self.push(node, Operation::Add { from: a.min(b) })
    }

    /// Takes room for so many numbers.
    fn spend(&mut self, node: &Node, numbers: usize) -> Result<()> {
        let left = self.numbers_left.checked_sub(numbers);
        self.numbers_left =
            left.ok_or_else(|| node.fault("its numbers are more than the file gives reason for"))?;
        Ok(())
    }

    /// The node after one that made integers of values.
    fn undo_steps(&self, node: &Node, (step, zero): (f64, f64)) -> Result<()> {
        let scalar = |place: usize| {
            let constant = node.inputs.get(place).and_then(|name| self.constants.get(name));
            constant.map(Tensor::scalar)
        };
        let is_undone = node.kind == "DequantizeLinear"
            && scalar(1) == Some(Some(step))
            && scalar(2).unwrap_or(Some(0.0)) == Some(zero);
        if is_undone {
            return Ok(());
        }
        Err(node.fault("values that became integers (QuantizeLinear) are to become what they were (DequantizeLinear) at once"))
    }

    /// A node on the values of the picture.
    fn layer(&mut self, node: &Node) -> Result<()> {
        let constant = |place: usize| node.inputs.get(place).and_then(|name| self.constants.get(name));
        let needed = |place: usize| {
            constant(place).ok_or_else(|| node.fault(format!("its input {place} is no constant")))
        };
        let dims = &self.values.dims;
        match node.operation() {
            "Identity" => {}
            "Dropout" if constant(2).is_none_or(|mode| mode.scalar() == Some(0.0)) => {}
            "Dropout" => {
                return Err(node.fault("it is in training mode: export the network in evaluation mode"));
            }
            "Cast" if is_real(node.int("to", 0)) => {}
            "Cast" => return Err(node.fault("values that become integers or bits are not run")),
            "Flatten" => {
                let axis = node.int("axis", 1);
                if axis != 1 && axis != 1 - dims.len() as i64 {
                    return Err(node.fault(format!("axis {axis}, where 1 keeps the batch")));
                }
                self.values.dims = vec![1, self.values.order.len()];
            }
            "Reshape" => {
                let to = reshaped(dims, &integers(needed(1)?));
                self.reshape(node, to)?;
            }
            "Squeeze" => {
                let to = squeezed(dims, &axes(node, constant(1))?);
                self.reshape(node, to)?;
            }
            "Unsqueeze" => {
                let to = unsqueezed(dims, &axes(node, constant(1))?);
                self.reshape(node, to)?;
            }
            "Transpose" => {
                let by = permutation(node, dims.len())?;
                if by.first() != Some(&0) {
                    return Err(node.fault("it moves the batch"));
                }
                let places = transposed(dims, &by);
                self.values.dims = by.iter().map(|&axis| dims[axis]).collect();
                self.values.order = places.into_iter().map(|place| self.values.order[place]).collect();
            }
            "Relu" => self.push(node, Operation::Relu)?,
            "Tanh" => self.push(node, Operation::Curve(Curve::Tanh))?,
            "Sigmoid" => self.push(node, Operation::Curve(Curve::Sigmoid))?,
            "QuantizeLinear" => {
                let (step, zero) = (needed(1)?.scalar(), constant(2).map(Tensor::scalar));
                let (Some(step), Some(zero)) = (step, zero.unwrap_or(Some(0.0))) else {
                    return Err(node.fault("one step and one zero point are read, and not a list of them"));
                };
                let (least, most) = byte_range(node, &self.types)?;
                self.quantise(node, step, least - zero, most - zero)?;
                self.values.in_steps = Some((step, zero));
            }
            QUANT => {
                let of = |place: usize| Ok::<_, ImportFault>(needed(place)?.scalar());
                let (Some(step), Some(zero), Some(bits)) = (of(1)?, of(2)?, of(3)?) else {
                    return Err(node.fault(
                        "one scale, one zero point and one bit width are read, and not lists of them",
                    ));
                };
                if !matches!(node.text("rounding_mode"), b"" | b"ROUND") {
                    return Err(node.fault("values are rounded to the nearest only"));
                }
                let (least, most) = quant_range(node, bits)?;
                self.quantise(node, step, least - zero, most - zero)?;
            }
            "Sign" => {
                // ONNX has 0 at 0, where this network has 1: a matter of chance for sums, and the rule for what was rectified.
                let layer = |place: Option<usize>| place.map(|place: usize| &self.layers[place]);
                let before = successors(layer(self.values.layer), |before| layer(before.reads));
                let mut before = before.map(|layer| &layer.operation).skip_while(|operation| {
                    matches!(operation, Operation::MaxPool { .. } | Operation::AveragePool { .. })
                });
                if matches!(
                    before.next(),
                    None | Some(Operation::Relu | Operation::Clip { .. } | Operation::Quantised { .. })
                ) {
                    return Err(node
                        .fault("the sign of 0 would count: it is that of pixels, or of what was rectified"));
                }
                self.push(node, Operation::Sign)?;
            }
            "Clip" => {
                let bound = |place: usize, name: &str| match constant(place) {
                    Some(bound) => Some(bound.scalar().unwrap_or(f64::NAN)),
                    None => node.has(&[name]).then(|| node.float(name, 0.0)),
                };
                match (bound(1, "min"), bound(2, "max").filter(|&most| most != f64::INFINITY)) {
                    (Some(0.0), None) => self.push(node, Operation::Relu)?,
                    (Some(least), Some(most))
                        if least.is_finite() && least <= 0.0 && most >= 0.0 && least < most =>
                    {
                        self.push(node, Operation::Clip { least, most })?;
                    }
                    _ => {
                        return Err(node.fault(
                            "only a Clip of two ends, of which 0 lies within, is run, and one from 0 on",
                        ));
                    }
                }
            }
            BIPOLAR_QUANT => {
                let scale = needed(1)?.scalar().filter(|&scale| scale > 0.0);
                let scale = scale.ok_or_else(|| node.fault("one scale is needed, and greater than 0"))?;
                let channels = self.values.shape.channels;
                self.push(node, Operation::Sign)?;
                self.push(
                    node,
                    Operation::Affine { scales: vec![scale; channels], offsets: vec![0.0; channels] },
                )?;
            }
            "MaxPool" | "AveragePool" => {
                let operation = self.pool(node)?;
                self.push(node, operation)?;
            }
            "GlobalAveragePool" => {
                let shape = self.image(node)?;
                if shape.height != shape.width {
                    return Err(node.fault("it averages what is no square"));
                }
                self.push(node, Operation::AveragePool { size: shape.width })?;
            }
            "Conv" => {
                let operation = self.convolution(node, needed(1)?, constant(2))?;
                self.push(node, operation)?;
            }
            "Gemm" => {
                if node.int("transA", 0) != 0 {
                    return Err(node.fault("it transposes the values of the network"));
                }
                let (alpha, beta) = (node.float("alpha", 1.0), node.float("beta", 1.0));
                let operation = self.dense(
                    node,
                    needed(1)?,
                    node.int("transB", 0) != 0,
                    alpha,
                    constant(2).map(|bias| (bias, beta)),
                )?;
                self.push(node, operation)?;
            }
            "MatMul" => {
                let operation = self.dense(node, needed(1)?, false, 1.0, None)?;
                self.push(node, operation)?;
            }
            "Add" | "Sub" | "Mul" | "Div" => {
                let is_first = node.inputs.first().is_some_and(|name| !self.constants.contains_key(name));
                let operation = self.affine(node, needed(usize::from(is_first))?, is_first)?;
                self.push(node, operation)?;
            }
            "BatchNormalization" => {
                if node.int("training_mode", 0) != 0 {
                    return Err(node.fault("it is in training mode: export the network in evaluation mode"));
                }
                if self.values.shape.values() > self.values.shape.channels {
                    self.image(node)?;
                }
                let of = |place: usize| -> Result<&[f64]> {
                    let numbers = &needed(place)?.data;
                    if numbers.len() == self.values.shape.channels {
                        Ok(numbers)
                    } else {
                        Err(node.fault(format!(
                            "{} numbers for {} channels",
                            numbers.len(),
                            self.values.shape.channels
                        )))
                    }
                };
                let (factors, means, variances) = (of(1)?, of(3)?, of(4)?);
                let epsilon = node.float("epsilon", 1e-5);
                let scales: Vec<f64> = factors
                    .iter()
                    .zip(variances)
                    .map(|(factor, variance)| factor / (variance + epsilon).sqrt())
                    .collect();
                let offsets =
                    of(2)?.iter().zip(means).zip(&scales).map(|((bias, mean), scale)| bias - mean * scale);
                let offsets = offsets.collect();
                self.push(node, Operation::Affine { scales, offsets })?;
            }
            // The label is that of the greatest score, before as after.
            "Softmax" | "LogSoftmax" => self.is_over = Some(node.name.clone()),
            _ => return Err(node.fault(instead(&node.kind))),
        }
        Ok(())
    }

    /// Adds the layer of values that become multiples of a step. Pixels are multiples already, if the step is theirs.
    fn quantise(&mut self, node: &Node, step: f64, least: f64, most: f64) -> Result<()> {
        if !(step > 0.0 && step.is_finite() && least <= 0.0 && most >= 0.0 && least < most)
            || least.fract() != 0.0
        {
            return Err(
                node.fault("a step above 0 is needed, and a zero point among the integers that there are")
            );
        }
        if self.values.layer.is_none() {
            let is_step = |of_pixels: f64| (step / of_pixels - 1.0).abs() < 0.01;
            return match (is_step(1.0 / 255.0) || is_step(1.0)) && least == 0.0 && most == 255.0 {
                true => Ok(()),
                false => Err(node.fault("pixels have 8 bits, and this gives them other steps: leave it out")),
            };
        }
        self.push(node, Operation::Quantised { step, least, most })
    }

    fn reshape(&mut self, node: &Node, to: Option<Vec<usize>>) -> Result<()> {
        match to {
            Some(dims) if dims.first() == Some(&1) => {
                self.values.dims = dims;
                Ok(())
            }
            _ => Err(node.fault("its shape does not fit the values of one picture")),
        }
    }

    /// Adds a layer.
    fn push(&mut self, node: &Node, operation: Operation) -> Result<()> {
        let Values { layer: reads, shape: input, .. } = self.values;
        let layer = RealLayer { name: node.name.clone(), reads, input, operation };
        let shape = layer.output();
        if shape.values() == 0 || shape.values() > MOST_VALUES {
            return Err(node.fault(format!("it gives {} values", shape.values())));
        }
        self.spend(node, layer.numbers())?;
        if !layer.is_finite() {
            return Err(node.fault("one of its numbers is infinite or none"));
        }
        match layer.operation {
            Operation::Affine { .. }
            | Operation::Relu
            | Operation::Clip { .. }
            | Operation::Quantised { .. }
            | Operation::Curve(_)
            | Operation::Add { .. }
            | Operation::Sign => {}
            Operation::Dense(_) => {
                self.values.dims = vec![1, shape.values()];
                self.values.order = (0..shape.values()).collect();
            }
            _ => {
                self.values.dims = vec![1, shape.channels, shape.height, shape.width];
                self.values.order = (0..shape.values()).collect();
            }
        }
        self.values.shape = shape;
        self.values.layer = Some(self.layers.len());
        self.layers.push(layer);
        Ok(())
    }

    /// The shape of the values, where they are channels of rows of columns.
    fn image(&self, node: &Node) -> Result<Shape> {
        let Values { dims, order, shape, .. } = &self.values;
        let is_image = dims[..] == [1, shape.channels, shape.height, shape.width];
        if is_image && order.iter().enumerate().all(|(place, &canonical)| place == canonical) {
            Ok(*shape)
        } else {
            Err(node
                .fault(format!("values of the shape {dims:?}, where channels of rows of columns are needed")))
        }
    }

    fn pool(&self, node: &Node) -> Result<Operation> {
        let shape = self.image(node)?;
        let kernel = node.ints("kernel_shape").unwrap_or_default();
        let strides = node.ints("strides").unwrap_or(&[1, 1]);
        let (&[size, also], &[down, across]) = (kernel, strides) else {
            return Err(node.fault("windows of rows and columns are needed"));
        };
        let plain = node.ints("pads").is_none_or(|pads| pads.iter().all(|&pad| pad == 0))
            && node.ints("dilations").is_none_or(|dilations| dilations.iter().all(|&dilation| dilation == 1))
            && matches!(node.text("auto_pad"), b"" | b"NOTSET" | b"VALID");
        if [also, down, across].iter().any(|&other| other != size) || !plain {
            return Err(node.fault("only squares side by side are pooled: a kernel of equal sides, which is the stride, without padding"));
        }
        let size =
            usize::try_from(size).ok().filter(|&size| (1..=shape.height.min(shape.width)).contains(&size));
        let size = size.ok_or_else(|| {
            node.fault(format!("squares that do not fit {} x {}", shape.height, shape.width))
        })?;
        if node.int("ceil_mode", 0) != 0 && (shape.height % size != 0 || shape.width % size != 0) {
            return Err(node.fault("what does not fill a square is dropped: `ceil_mode` is not run"));
        }
        Ok(if node.kind == "MaxPool" { Operation::MaxPool { size } } else { Operation::AveragePool { size } })
    }

    fn convolution(&self, node: &Node, weights: &Tensor, biases: Option<&Tensor>) -> Result<Operation> {
        let shape = self.image(node)?;
        let &[filters, channels, size, also] = &weights.dims[..] else {
            return Err(node.fault("filters of rows and columns are needed"));
        };
        let groups = usize::try_from(node.int("group", 1)).ok().filter(|&groups| groups > 0);
        let groups = groups.ok_or_else(|| node.fault("`group` is to be 1 or more"))?;
        if filters == 0
            || size == 0
            || channels.checked_mul(groups) != Some(shape.channels)
            || filters % groups != 0
        {
            return Err(node.fault(format!(
                "filters of shape {:?} in {groups} groups on {} channels",
                weights.dims, shape.channels
            )));
        }
        if also != size {
            return Err(node.fault(format!("filters of {size} x {also}: only squares are run")));
        }
        if node.ints("dilations").is_some_and(|dilations| dilations.iter().any(|&dilation| dilation != 1)) {
            return Err(node.fault("dilated filters are not run"));
        }
        let stride = match node.ints("strides") {
            None => 1,
            Some(&[down, across]) if down == across && (1..=64).contains(&down) => down as usize,
            Some(strides) => {
                return Err(node.fault(format!("strides {strides:?}: equal ones from 1 to 64 are run")));
            }
        };
        let padding = match (node.text("auto_pad"), node.ints("pads")) {
            (b"VALID", _) | (b"" | b"NOTSET", None) => 0,
            (b"" | b"NOTSET", Some(&[top, left, bottom, right]))
                if [left, bottom, right].iter().all(|&other| other == top) && (0..64).contains(&top) =>
            {
                top as usize
            }
            (b"SAME_UPPER" | b"SAME_LOWER", _) if stride == 1 && size % 2 == 1 => size / 2,
            _ => return Err(node.fault("padding that is not the same on all sides is not run")),
        };
        if padding >= size || shape.height.min(shape.width) + 2 * padding < size || size > 64 {
            return Err(node.fault(format!(
                "filters of size {size} with a padding of {padding} on {} x {}",
                shape.height, shape.width
            )));
        }
        let biases = match biases {
            None => vec![0.0; filters],
            Some(biases) if biases.data.len() == filters => biases.data.clone(),
            Some(biases) => {
                return Err(node.fault(format!("{} biases for {filters} filters", biases.data.len())));
            }
        };
        let (columns, weights) = (channels * size * size, weights.data.clone());
        let linear = Linear { columns, weights, biases, grid: Grid::Layer };
        Ok(Operation::Convolution(linear, Window { size, stride, padding, groups }))
    }

    /// alpha x W + beta b, with W as it is or transposed.
    fn dense(
        &self,
        node: &Node,
        weights: &Tensor,
        is_transposed: bool,
        alpha: f64,
        biases: Option<(&Tensor, f64)>,
    ) -> Result<Operation> {
        let count = self.values.order.len();
        let &[rows, columns] = &weights.dims[..] else {
            return Err(node.fault("a matrix of weights is needed"));
        };
        let (inputs, outputs) = if is_transposed { (columns, rows) } else { (rows, columns) };
        if self.values.dims[..] != [1, count] || inputs != count || outputs == 0 {
            return Err(node.fault(format!(
                "weights for {inputs} inputs on values of the shape {:?}",
                self.values.dims
            )));
        }
        if outputs > MOST_VALUES {
            return Err(node.fault(format!("it gives {outputs} values")));
        }
        let mut canonical = vec![0.0; weights.data.len()];
        for (input, &place) in self.values.order.iter().enumerate() {
            for output in 0..outputs {
                let weight = if is_transposed { output * inputs + input } else { input * outputs + output };
                canonical[output * inputs + place] = alpha * weights.data[weight];
            }
        }
        let biases = match biases {
            None => vec![0.0; outputs],
            Some((biases, beta)) => {
                let places = broadcast(&biases.dims, &[1, outputs]);
                let places = places.ok_or_else(|| {
                    node.fault(format!("{} biases for {outputs} outputs", biases.data.len()))
                })?;
                places.into_iter().map(|place| beta * biases.data[place]).collect()
            }
        };
        Ok(Operation::Dense(Linear { columns: inputs, weights: canonical, biases, grid: Grid::Layer }))
    }

    /// x + c, x - c, x c, x / c, or the same with the constant first.
    fn affine(&self, node: &Node, constant: &Tensor, is_first: bool) -> Result<Operation> {
        let Values { dims, order, shape, .. } = &self.values;
        // A constant of more dimensions than the values has ones there.
        let missing = constant.dims.len().saturating_sub(dims.len());
        let own = if constant.dims[..missing].iter().all(|&dim| dim == 1) {
            &constant.dims[missing..]
        } else {
            &constant.dims[..]
        };
        let places = broadcast(own, dims).ok_or_else(|| {
            node.fault(format!("a constant of the shape {:?} on values of the shape {dims:?}", constant.dims))
        })?;
        let mut numbers = vec![0.0; order.len()];
        for (place, &canonical) in order.iter().enumerate() {
            numbers[canonical] = constant.data[places[place]];
        }
        let channels = numbers.chunks(shape.height * shape.width);
        let of_channel =
            |channel: &[f64]| channel.iter().all(|&number| number == channel[0]).then_some(channel[0]);
        let numbers: Option<Vec<f64>> = channels.map(of_channel).collect();
        let numbers =
            numbers.ok_or_else(|| node.fault("its constants differ within a channel, which is not run"))?;
        // The image of 0 and of 1 tell an affine map, and division by the values is none.
        if node.kind == "Div" && (!is_first || numbers.contains(&0.0)) {
            return Err(node.fault(
                "the values of the network can be divided by constants that are not 0, and nothing by them",
            ));
        }
        let at = |x: f64, c: f64| {
            if is_first { arithmetic(&node.kind, x, c) } else { arithmetic(&node.kind, c, x) }
        };
        let offsets: Vec<f64> = numbers.iter().map(|&c| at(0.0, c)).collect();
        let scales = numbers.iter().zip(&offsets).map(|(&c, offset)| at(1.0, c) - offset).collect();
        Ok(Operation::Affine { scales, offsets })
    }
}

/// What could stand in the place of a node that is not read.
fn instead(kind: &str) -> String {
    let what = match kind {
        "LeakyRelu" | "PRelu" | "Elu" | "Selu" | "Gelu" | "HardSigmoid" | "HardSwish" | "Mish"
        | "Softplus" | "Erf" | "Celu" | "Swish" | "ThresholdedRelu" | "Abs" => {
            "train the network with Relu, Tanh, Sigmoid or Sign in its place"
        }
        "LSTM" | "GRU" | "RNN" | "Attention" | "MultiHeadAttention" => {
            "only chains of convolutions and dense layers are run"
        }
        "ConvTranspose" | "Resize" | "Upsample" => "only networks whose output is a list of scores are run",
        "LayerNormalization" | "InstanceNormalization" | "GroupNormalization" | "LpNormalization" => {
            "its factors depend on the picture: train the network with BatchNormalization"
        }
        "Pad" => "give the padding to the convolution",
        "ReduceMean" => "GlobalAveragePool has the same meaning and is read",
        "DequantizeLinear"
        | "QLinearConv"
        | "QLinearMatMul"
        | "ConvInteger"
        | "MatMulInteger"
        | "DynamicQuantizeLinear" => {
            "of quantised networks those are read that have pairs of QuantizeLinear and DequantizeLinear (QDQ), or QONNX's Quant"
        }
        _ => {
            "Conv, Gemm, MatMul, Add, Sub, Mul, Div, BatchNormalization, Relu, Clip, Tanh, Sigmoid, Sign, MaxPool, AveragePool, GlobalAveragePool, \
              Flatten, Reshape, Transpose, Squeeze, Unsqueeze, Identity, Dropout and Softmax are"
        }
    };
    format!("this operation is not read; {what}")
}
