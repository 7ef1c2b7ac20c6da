//! Digests as words to read aloud: the PGP word list (Juola and Zimmermann, 1995), where even bytes have two syllables and
//! odd bytes three, so that a swapped, missing or doubled word is heard.

const EVEN: &str = "aardvark absurd accrue acme adrift adult afflict ahead aimless Algol allow alone ammo ancient apple artist \
assume Athens atlas Aztec baboon backfield backward banjo beaming bedlamp beehive beeswax befriend Belfast berserk billiard \
bison blackjack blockade blowtorch bluebird bombast bookshelf brackish breadline breakup brickyard briefcase Burbank button \
buzzard cement chairlift chatter checkup chisel choking chopper Christmas clamshell classic classroom cleanup clockwork cobra \
commence concert cowbell crackdown cranky crowfoot crucial crumpled crusade cubic dashboard deadbolt deckhand dogsled dragnet \
drainage dreadful drifter dropper drumbeat drunken Dupont dwelling eating edict egghead eightball endorse endow enlist erase \
escape exceed eyeglass eyetooth facial fallout flagpole flatfoot flytrap fracture framework freedom frighten gazelle Geiger \
glitter glucose goggles goldfish gremlin guidance hamlet highchair hockey indoors indulge inverse involve island jawbone \
keyboard kickoff kiwi klaxon locale lockup merit minnow miser Mohawk mural music necklace Neptune newborn nightbird Oakland \
obtuse offload optic orca payday peachy pheasant physique playhouse Pluto preclude prefer preshrunk printer prowler pupil \
puppy python quadrant quiver quota ragtime ratchet rebirth reform regain reindeer rematch repay retouch revenge reward rhythm \
ribcage ringbolt robust rocker ruffled sailboat sawdust scallion scenic scorecard Scotland seabird select sentence shadow \
shamrock showgirl skullcap skydive slingshot slowdown snapline snapshot snowcap snowslide solo southward soybean spaniel \
spearhead spellbind spheroid spigot spindle spyglass stagehand stagnate stairway standard stapler steamship sterling stockman \
stopwatch stormy sugar surmount suspense sweatband swelter tactics talon tapeworm tempest tiger tissue tonic topmost tracker \
transit trauma treadmill Trojan trouble tumor tunnel tycoon uncut unearth unwind uproot upset upshot vapor village virus \
Vulcan waffle wallet watchword wayside willow woodlark Zulu";

const ODD: &str = "adroitness adviser aftermath aggregate alkali almighty amulet amusement antenna applicant Apollo armistice \
article asteroid Atlantic atmosphere autopsy Babylon backwater barbecue belowground bifocals bodyguard bookseller borderline \
bottomless Bradbury bravado Brazilian breakaway Burlington businessman butterfat Camelot candidate cannonball Capricorn \
caravan caretaker celebrate cellulose certify chambermaid Cherokee Chicago clergyman coherence combustion commando company \
component concurrent confidence conformist congregate consensus consulting corporate corrosion councilman crossover crucifix \
cumbersome customer Dakota decadence December decimal designing detector detergent determine dictator dinosaur direction \
disable disbelief disruptive distortion document embezzle enchanting enrollment enterprise equation equipment escapade Eskimo \
everyday examine existence exodus fascinate filament finicky forever fortitude frequency gadgetry Galveston getaway glossary \
gossamer graduate gravity guitarist hamburger Hamilton handiwork hazardous headwaters hemisphere hesitate hideaway holiness \
hurricane hydraulic impartial impetus inception indigo inertia infancy inferno informant insincere insurgent integrate \
intention inventive Istanbul Jamaica Jupiter leprosy letterhead liberty maritime matchmaker maverick Medusa megaton microscope \
microwave midsummer millionaire miracle misnomer molasses molecule Montana monument mosquito narrative nebula newsletter \
Norwegian October Ohio onlooker opulent Orlando outfielder Pacific pandemic Pandora paperweight paragon paragraph paramount \
passenger pedigree Pegasus penetrate perceptive performance pharmacy phonetic photograph pioneer pocketful politeness positive \
potato processor provincial proximate puberty publisher pyramid quantity racketeer rebellion recipe recover repellent replica \
reproduce resistor responsive retraction retrieval retrospect revenue revival revolver sandalwood sardonic Saturday savagery \
scavenger sensation sociable souvenir specialist speculate stethoscope stupendous supportive surrender suspicious sympathy \
tambourine telephone therapist tobacco tolerance tomorrow torpedo tradition travesty trombonist truncated typewriter ultimate \
undaunted underfoot unicorn unify universe unravel upcoming vacancy vagabond vertigo Virginia visitor vocalist voyager \
warranty Waterloo whimsical Wichita Wilmington Wyoming yesteryear Yucatan";

/// The words of these bytes, one for each.
pub fn of(bytes: &[u8]) -> Vec<&'static str> {
    let (even, odd): (Vec<&str>, Vec<&str>) = (EVEN.split(' ').collect(), ODD.split(' ').collect());
    let word = |(place, byte): (usize, &u8)| {
        let list = if place % 2 == 0 { &even } else { &odd };
        list.get(usize::from(*byte)).copied().unwrap_or_default()
    };
    bytes.iter().enumerate().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lists_have_256_different_words() {
        for list in [EVEN, ODD] {
            let mut words: Vec<_> = list.split(' ').map(str::to_lowercase).collect();
            assert_eq!(words.len(), 256);
            words.sort();
            words.dedup();
            assert_eq!(words.len(), 256);
        }
    }

    #[test]
    fn the_published_example_reads_as_published() {
        // E582 94F2 E9A2 2748 6E8B, the fingerprint Wikipedia's article on the list uses.
        let bytes = [0xe5, 0x82, 0x94, 0xf2, 0xe9, 0xa2, 0x27, 0x48, 0x6e, 0x8b];
        let words = of(&bytes).join(" ");
        assert_eq!(
            words,
            "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa"
        );
    }
}
