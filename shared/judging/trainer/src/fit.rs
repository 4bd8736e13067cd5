use std::cell::RefCell;
use std::cmp::Ordering;

use argmin::core::{CostFunction, Executor, Gradient, State as _};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use linfa::DatasetBase;
use linfa::traits::Fit as _;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ShapeBuilder};

use crate::rows::Rows;

/// Why a regression could not be fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The optimiser failed.
    #[error("{solver} failed: {reason}; look for texts without a letter, or too few comments")]
    Solver {
        /// The optimiser's name.
        solver: &'static str,
        /// What the optimiser says.
        reason: String,
    },
    /// A value is not finite, because a setting is far out of range.
    #[error("a comment's vector holds a number that is not finite; lower the scales")]
    NotFinite,
    /// The optimiser stopped before the minimum.
    #[error(
        "the fit did not converge: the gradient is {gradient:.1e} per comment after {iterations} iterations; lower the inverse regularisation or the scales"
    )]
    NotConverged {
        /// The largest entry of the gradient, per comment.
        gradient: f64,
        /// The most iterations that are allowed.
        iterations: u64,
    },
}

/// How the weights of a model are found. Both ways minimise the same: the sum of log loss, and half the squared weights over C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Solver {
    /// linfa-logistic fits a dense matrix, from where argmin ended.
    Linfa,
    /// argmin fits sparse rows: a head among several, or where a dense matrix has no room.
    Sparse,
}

impl Solver {
    /// The solver's name in the manifest.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Solver::Linfa => "linfa-logistic 0.8, L-BFGS, f32, from argmin 0.11 over sparse rows",
            Solver::Sparse => "argmin 0.11, L-BFGS over sparse rows, f64",
        }
    }
}

/// A logistic regression over the columns of rows.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The weight of each column.
    pub(crate) weights: Vec<f64>,
    pub(crate) intercept: f64,
}

/// The most iterations of a fit.
const MAX_ITERATIONS: u64 = 300;
/// The largest entry of the gradient, per comment, that counts as converged. Neither optimiser says why it stopped, so
/// the gradient is measured here.
const MAX_GRADIENT: f64 = 1e-3;

/// How far a fit's log-odds are from the minimum's at most where it ends, in the root mean square over the rows.
const FINE: f64 = 5e-4;
/// The same of a fit that only says which columns matter.
const ROUGH: f64 = 5e-3;
/// The length of the gradient at which linfa-logistic ends.
const OF_LINFA: f64 = 1e-2;

/// Rows to fit to verdicts. Rows whose verdict is not known say nothing.
#[derive(Clone, Copy)]
pub(crate) struct Problem<'a> {
    pub(crate) rows: &'a Rows,
    /// What is known of each row.
    pub(crate) verdicts: &'a [Option<bool>],
    /// The unit in which each column's weight is found, so that a larger one is regularised less.
    pub(crate) scales: &'a [f64],
    /// The inverse of the regularisation's strength.
    pub(crate) c: f64,
}

/// The weights in units of their scales, and the intercept last.
type Point = Vec<f64>;

impl Problem<'_> {
    /// Makes a quick fit that says which columns matter.
    pub(crate) fn rough(self) -> Result<Line, FitError> {
        self.check()?;
        Ok(self.line(&self.solve(&vec![0.0; self.rows.width + 1], ROUGH, f64::INFINITY)?))
    }

    /// Fits the rows, from `start` on where there is one. Returns the largest entry of the gradient too, per row.
    pub(crate) fn fit(self, start: Option<&Line>, solver: Solver) -> Result<(Line, f64), FitError> {
        self.check()?;
        let start = start.map_or_else(|| vec![0.0; self.rows.width + 1], |line| self.point(line));
        // A pass of linfa-logistic over its matrix takes ten times as long, so it begins where it would end, if it agrees.
        let length = match solver {
            Solver::Linfa => OF_LINFA / 2.0,
            Solver::Sparse => f64::INFINITY,
        };
        let mut point = self.solve(&start, FINE, length)?;
        if solver == Solver::Linfa {
            point = self.solve_dense(&point).map_err(|reason| FitError::Solver { solver: "linfa-logistic", reason })?;
        }
        let gradient = self.gradient(&point)?;
        Ok((self.line(&point), gradient))
    }

    /// Checks that all values are finite: over a NaN linfa-logistic never ends.
    fn check(self) -> Result<(), FitError> {
        let is_finite = self.rows.iter().flatten().all(|(_, value)| value.is_finite());
        if is_finite { Ok(()) } else { Err(FitError::NotFinite) }
    }

    /// The number of rows whose verdict is known.
    fn known(self) -> usize {
        self.verdicts.iter().flatten().count()
    }

    fn line(self, point: &[f64]) -> Line {
        let (intercept, weights) = point.split_last().map_or((0.0, &[][..]), |(last, rest)| (*last, rest));
        Line { weights: weights.iter().zip(self.scales).map(|(weight, scale)| weight * scale).collect(), intercept }
    }

    fn point(self, line: &Line) -> Point {
        let weights = line.weights.iter().zip(self.scales).map(|(weight, scale)| weight / scale);
        weights.chain([line.intercept]).collect()
    }

    /// Fits a dense matrix of the rows whose verdict is known.
    fn solve_dense(self, start: &[f64]) -> Result<Point, String> {
        let Problem { rows, verdicts, scales, c } = self;
        // Column-major: linfa-logistic's products run 3-4 times faster over it.
        let mut x = Array2::<f32>::zeros((self.known(), rows.width).f());
        let known = rows.iter().zip(verdicts).filter(|(_, verdict)| verdict.is_some());
        for (index, (row, _)) in known.enumerate() {
            for &(column, value) in row {
                x[[index, column as usize]] = value * scales[column as usize] as f32;
            }
        }
        let y: Array1<bool> = verdicts.iter().copied().flatten().collect();
        // linfa-logistic calls the larger class positive, and of two as large the one that comes first.
        let positives = y.iter().filter(|verdict| **verdict).count();
        let is_turned = match (2 * positives).cmp(&y.len()) {
            Ordering::Less => true,
            Ordering::Equal => !y[0],
            Ordering::Greater => false,
        };
        let sign = if is_turned { -1.0 } else { 1.0 };
        let start: Array1<f32> = start.iter().map(|weight| (weight * sign) as f32).collect();
        let model = LogisticRegression::<f32>::default()
            .alpha((1.0 / c) as f32)
            .max_iterations(MAX_ITERATIONS)
            .gradient_tolerance(OF_LINFA as f32)
            .initial_params(start)
            .fit(&DatasetBase::new(x, y))
            .map_err(|error| error.to_string())?;
        let point = model.params().iter().chain([&model.intercept()]).map(|weight| f64::from(*weight) * sign).collect();
        Ok(point)
    }

    /// What each entry of a point is divided by, so that the loss bends alike along all: the root of its second derivative, where
    /// each row has the probability of all.
    fn bends(self) -> Vec<f64> {
        let Problem { rows, verdicts, scales, c } = self;
        let known = self.known() as f64;
        let share = verdicts.iter().flatten().filter(|removed| **removed).count() as f64 / known;
        // Where all rows are alike, any number serves.
        let variance = (share * (1.0 - share)).max(1e-9);
        let mut squares = vec![0.0; rows.width];
        for (row, _) in rows.iter().zip(verdicts).filter(|(_, verdict)| verdict.is_some()) {
            row.iter().for_each(|&(column, value)| squares[column as usize] += f64::from(value).powi(2));
        }
        let of_columns =
            squares.iter().zip(scales).map(|(sum, scale)| (1.0 / c + variance * sum * scale * scale).sqrt());
        of_columns.chain([(variance * known).sqrt()]).collect()
    }

    /// Fits sparse rows until the log-odds are about as near as `error` to those of the minimum, and the gradient's length is
    /// `length` at most.
    fn solve(self, start: &[f64], error: f64, length: f64) -> Result<Point, FitError> {
        let failed = |error: argmin::core::Error| FitError::Solver { solver: "argmin", reason: error.to_string() };
        let bends = self.bends();
        // In these units the loss is about half the square of the distance from the minimum, and the gradient is the distance.
        let most = bends.iter().copied().fold(0.0, f64::max);
        let tolerance = (error * bends[self.rows.width]).min(length / most);
        let solver = LBFGS::new(MoreThuenteLineSearch::new(), 10).with_tolerance_grad(tolerance).map_err(failed)?;
        let start = start.iter().zip(&bends).map(|(entry, bend)| entry * bend).collect::<Point>();
        let loss = Loss { problem: self, bends: &bends, last: RefCell::default() };
        let found = Executor::new(loss, solver)
            .configure(|state| state.param(start).max_iters(MAX_ITERATIONS))
            .run()
            .map_err(failed)?;
        let best = found.state().get_best_param();
        let best =
            best.ok_or_else(|| FitError::Solver { solver: "argmin", reason: "no step could be made".to_owned() })?;
        Ok(best.iter().zip(&bends).map(|(entry, bend)| entry / bend).collect())
    }

    /// The largest entry of the gradient, per row, if the point is a minimum.
    fn gradient(self, point: &[f64]) -> Result<f64, FitError> {
        let (_, slopes) = self.loss(point);
        let gradient = slopes.iter().fold(0.0_f64, |largest, slope| largest.max(slope.abs())) / self.known() as f64;
        // Written so that a NaN fails too.
        if !(gradient <= MAX_GRADIENT && point.iter().all(|weight| weight.is_finite())) {
            return Err(FitError::NotConverged { gradient, iterations: MAX_ITERATIONS });
        }
        Ok(gradient)
    }

    /// The loss at a point, and its slopes. The intercept costs nothing.
    fn loss(self, point: &[f64]) -> (f64, Vec<f64>) {
        let Problem { rows, verdicts, scales, c } = self;
        let line = self.line(point);
        let mut sum = 0.0;
        // By the weights first, and by the weights in units of their scales at the end.
        let mut slopes = vec![0.0; point.len()];
        let width = rows.width;
        for (row, verdict) in rows.iter().zip(verdicts) {
            let &Some(removed) = verdict else { continue };
            let target = f64::from(u8::from(removed));
            let z = line.log_odds(row);
            // ln(1 + e^z) - t z, without overflow.
            let small = (-z.abs()).exp();
            sum += z.max(0.0) + small.ln_1p() - target * z;
            let residual = if z < 0.0 { small } else { 1.0 } / (1.0 + small) - target;
            for &(column, value) in row {
                slopes[column as usize] += residual * f64::from(value);
            }
            slopes[width] += residual;
        }
        let weights = &point[..width];
        for ((slope, scale), weight) in slopes.iter_mut().zip(scales).zip(weights) {
            *slope = *slope * scale + weight / c;
        }
        (sum + weights.iter().map(|weight| weight * weight).sum::<f64>() / (2.0 * c), slopes)
    }
}

impl Line {
    /// Keeps the weights of those of the first `features` columns that are listed, and of all columns behind them.
    pub(crate) fn keep(&mut self, columns: &[usize], features: usize) {
        let (of_features, of_others) = self.weights.split_at(features);
        let kept = columns.iter().map(|&column| of_features[column]).chain(of_others.iter().copied());
        self.weights = kept.collect();
    }

    pub(crate) fn log_odds(&self, row: &[(u32, f32)]) -> f64 {
        row.iter().fold(self.intercept, |sum, &(column, value)| sum + f64::from(value) * self.weights[column as usize])
    }
}

/// The loss that is minimised, for argmin.
struct Loss<'a> {
    problem: Problem<'a>,
    /// What argmin's entries are divided by.
    bends: &'a [f64],
    /// The point that was looked at last, with loss and slopes: a line search asks for both at the same, one after the other.
    last: RefCell<(Point, f64, Vec<f64>)>,
}

impl Loss<'_> {
    /// Looks at a point, and gives what `of` makes of loss and slopes there.
    fn at<T>(&self, point: &Point, of: impl FnOnce(f64, &[f64]) -> T) -> T {
        let mut last = self.last.borrow_mut();
        if last.0 != *point {
            let entries: Point = point.iter().zip(self.bends).map(|(entry, bend)| entry / bend).collect();
            let (loss, mut slopes) = self.problem.loss(&entries);
            slopes.iter_mut().zip(self.bends).for_each(|(slope, bend)| *slope /= bend);
            *last = (point.clone(), loss, slopes);
        }
        of(last.1, &last.2)
    }
}

impl CostFunction for Loss<'_> {
    type Param = Point;
    type Output = f64;

    fn cost(&self, point: &Point) -> Result<f64, argmin::core::Error> {
        Ok(self.at(point, |loss, _| loss))
    }
}

impl Gradient for Loss<'_> {
    type Param = Point;
    type Gradient = Vec<f64>;

    fn gradient(&self, point: &Point) -> Result<Vec<f64>, argmin::core::Error> {
        Ok(self.at(point, |_, slopes| slopes.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Chosen;
    use crate::settings::{Settings, default_settings};
    use crate::tokens::Tokens;
    use serde::Deserialize;

    fn all_known(removed: &[bool]) -> Vec<Option<bool>> {
        removed.iter().copied().map(Some).collect()
    }

    /// Scales that change nothing.
    fn ones(rows: &Rows) -> Vec<f64> {
        vec![1.0; rows.width]
    }

    fn rows(settings: &Settings) -> (Rows, Vec<bool>) {
        let texts: Vec<String> = (0..200)
            .map(|index| {
                format!("{} number {}{}", ["so", "why", "thanks"][index % 3], index % 7, ["?", "!", ""][index % 5 % 3])
            })
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let removed = (0..200).map(|index| (index * 7 + index / 3) % 5 < 2).collect();
        let tokens = Tokens::of(texts, vec![usize::MAX; 200], settings);
        let chosen = Chosen::candidates(&tokens, settings.folds, settings);
        let all: Vec<usize> = (0..200).collect();
        (Rows::of(&tokens, &all, &chosen, settings), removed)
    }

    fn fit(
        rows: &Rows,
        verdicts: &[Option<bool>],
        scales: &[f64],
        c: f64,
        solver: Solver,
    ) -> Result<(Line, f64), FitError> {
        Problem { rows, verdicts, scales, c }.fit(None, solver)
    }

    #[test]
    fn values_that_are_no_numbers_make_no_line() {
        for measure_scale in [f64::NAN, f64::INFINITY] {
            let (rows, removed) = rows(&Settings { measure_scale, ..default_settings() });
            let (verdicts, scales) = (all_known(&removed), ones(&rows));
            for solver in [Solver::Linfa, Solver::Sparse] {
                let found = fit(&rows, &verdicts, &scales, 1.0, solver).map(|(_, gradient)| gradient);
                assert_eq!(found, Err(FitError::NotFinite), "{solver:?} over {measure_scale}");
            }
            let problem = Problem { rows: &rows, verdicts: &verdicts, scales: &scales, c: 1.0 };
            assert!(problem.rough().is_err_and(|error| error == FitError::NotFinite));
        }
    }

    /// linfa-logistic from where it begins by itself, and from the sparse solution, and the sparse solution: all over rows whose
    /// weights are found in units of scales, whichever class is larger, and where both are as large.
    #[test]
    fn the_sparse_fit_is_linfas() {
        let (rows, removed) = rows(&default_settings());
        let few: Vec<bool> = removed.clone();
        let many: Vec<bool> = removed.iter().map(|removed| !removed).collect();
        let half: Vec<bool> = (0..200).map(|index| (index * 7 + index / 3) % 4 < 2).collect();
        let turned: Vec<bool> = half.iter().map(|removed| !removed).collect();
        assert_eq!(half.iter().filter(|removed| **removed).count(), 100);
        for (removed, is_known) in [(few, 0.9), (many, 0.9), (half, 1.0), (turned, 1.0)] {
            // Neither may look at what is not known.
            let verdicts: Vec<Option<bool>> = removed
                .iter()
                .zip(0..)
                .map(|(it, index)| (f64::from(index) < 200.0 * is_known).then_some(*it))
                .collect();
            let scales = rows.ratio_scales(&verdicts, 0.5);
            assert!(scales.iter().any(|scale| *scale > 1.2) && scales.iter().any(|scale| *scale < 0.8));
            let problem = Problem { rows: &rows, verdicts: &verdicts, scales: &scales, c: 1.0 };
            let alone = problem.line(&problem.solve_dense(&vec![0.0; rows.width + 1]).expect("fits"));
            for solver in [Solver::Linfa, Solver::Sparse] {
                let (line, _) = problem.fit(None, solver).expect("fits");
                for row in rows.iter() {
                    let (one, other) = (line.log_odds(row), alone.log_odds(row));
                    assert!((one - other).abs() < 5e-3, "{solver:?}: {one} {other}");
                }
                assert!((line.intercept - alone.intercept).abs() < 5e-3);
                assert!(line.weights.iter().zip(&alone.weights).all(|(one, other)| (one - other).abs() < 5e-3));
                assert!(line.weights.iter().any(|weight| weight.abs() > 0.1));
            }
        }
    }

    /// Where a fit begins is no part of what it finds.
    #[test]
    fn a_fit_ends_at_the_same_line_wherever_it_begins() {
        let (rows, removed) = rows(&default_settings());
        let (verdicts, scales) = (all_known(&removed), ones(&rows));
        let problem = Problem { rows: &rows, verdicts: &verdicts, scales: &scales, c: 1.0 };
        let (one, _) = problem.fit(None, Solver::Sparse).expect("fits");
        let far = Line { weights: (0..rows.width).map(|it| (it % 5) as f64 - 2.0).collect(), intercept: 3.0 };
        let (other, _) = problem.fit(Some(&far), Solver::Sparse).expect("fits");
        for row in rows.iter() {
            assert!((one.log_odds(row) - other.log_odds(row)).abs() < 5e-3);
        }
        // A minimum stays where it is.
        let again = problem.fit(Some(&one), Solver::Sparse).expect("fits").0;
        assert!(one.weights.iter().zip(&again.weights).all(|(one, other)| (one - other).abs() < 1e-9));
    }

    /// The loss's slopes are its differences, over rows of which some verdicts are not known.
    #[test]
    fn slopes_are_those_of_the_loss() {
        let (rows, removed) = rows(&default_settings());
        let verdicts: Vec<Option<bool>> =
            removed.iter().enumerate().map(|(index, removed)| (index % 4 > 0).then_some(*removed)).collect();
        let scales: Vec<f64> = (0..rows.width).map(|column| 0.5 + (column % 4) as f64).collect();
        let problem = Problem { rows: &rows, verdicts: &verdicts, scales: &scales, c: 0.7 };
        let point: Vec<f64> = (0..=rows.width).map(|column| (column % 7) as f64 / 10.0 - 0.3).collect();
        let (_, slopes) = problem.loss(&point);
        for column in (0..=rows.width).rev().step_by(3) {
            let beside = |step: f64| {
                let mut point = point.clone();
                point[column] += step;
                problem.loss(&point).0
            };
            let difference = (beside(1e-4) - beside(-1e-4)) / 2e-4;
            assert!((difference - slopes[column]).abs() < 1e-5, "{column}: {difference} {}", slopes[column]);
        }
    }

    #[derive(Deserialize)]
    struct Fixture {
        c: f64,
        columns: usize,
        rows: Vec<Vec<(u32, f32)>>,
        labels: Vec<Vec<Option<u8>>>,
        lines: Vec<Expected>,
    }

    #[derive(Deserialize)]
    struct Expected {
        weights: Vec<f64>,
        intercept: f64,
    }

    /// The numbers are scikit-learn's over the same rows (`tests/fixtures/one_vs_rest.py` makes them).
    #[test]
    fn each_labels_line_is_scikit_learns_over_the_rows_it_is_known_of() {
        let fixture = include_str!("../tests/fixtures/one_vs_rest.json");
        let Fixture { c, columns, rows, labels, lines } = serde_json::from_str(fixture).expect("JSON");
        let rows = Rows::from_vectors(&rows, columns, columns, columns);
        assert_eq!(lines.len(), 3);
        for (label, expected) in lines.iter().enumerate() {
            let verdicts: Vec<Option<bool>> = labels.iter().map(|of_row| Some(of_row[label]? == 1)).collect();
            assert!(verdicts.iter().any(Option::is_none));
            let (line, _) = fit(&rows, &verdicts, &ones(&rows), c, Solver::Sparse).expect("fits");
            let close = |found: f64, expected: f64| (found - expected).abs() < 1e-3;
            assert!(close(line.intercept, expected.intercept), "{} {}", line.intercept, expected.intercept);
            for (found, expected) in line.weights.iter().zip(&expected.weights) {
                assert!(close(*found, *expected), "{found} {expected}");
            }
        }
    }

    /// A column in other units, with a scale that undoes them, is the same column.
    #[test]
    fn a_scale_is_the_unit_of_its_column() {
        let (rows, removed) = rows(&default_settings());
        let verdicts = all_known(&removed);
        let scales: Vec<f64> = (0..rows.width).map(|column| 0.5 + (column % 4) as f64).collect();
        let scaled =
            rows.iter().map(|row| row.iter().map(|&(column, value)| (column, value * scales[column as usize] as f32)));
        let scaled = Rows::from_vectors(&scaled.map(Iterator::collect).collect::<Vec<_>>(), rows.width, 0, 0);
        let (one, _) = fit(&rows, &verdicts, &scales, 1.0, Solver::Sparse).expect("fits");
        let (other, _) = fit(&scaled, &verdicts, &ones(&scaled), 1.0, Solver::Sparse).expect("fits");
        for ((one, other), scale) in one.weights.iter().zip(&other.weights).zip(&scales) {
            assert!((one - other * scale).abs() < 1e-2, "{one} {other} {scale}");
        }
    }
}
