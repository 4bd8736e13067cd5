fn main() {
    let seeds: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let from: u64 = std::env::args().nth(2).unwrap().parse().unwrap();
    let mut all = modstream_simulation::Outcome::default();
    for seed in from..from + seeds {
        let o = modstream_simulation::run(&modstream_simulation::Plan::of_seed(seed));
        if !o.broken.is_empty() {
            println!("{seed}: {:?}", o.broken);
        }
        all = all.plus(modstream_simulation::Outcome { broken: vec![], ..o });
    }
    println!("{:#?}", all);
}
