"""fables_plots_animals: the plots about animals, kings and small magic. fables_plots.py says how a plot is given."""
from fables_plots import plot


plot("$A and $B|The Trick of $A.N|How $B Tricked $A|$B.N and the Sack of $f.b|"
     "The Clever $B.k", """
- %beast $A.he was {sly|clever}, and {liked nothing better than a trick|$A.he knew it}. Nearby lived a $B.adj $B.b.
- $P lived a {sly|crafty} $A.b and a $B.adj $B.b. {$B worked hard|$B worked all day long}, but $A {liked to sleep in
  the sun|did as little as $A.he could}.

- %day $B came home with a sack of $f.b. {$A saw it|$A smelled them} and {licked $A.his lips|at once felt hungry}. But
  how could $A.he get them?
- %day $B had {picked|gathered} a whole sack of $f.b for the winter. "{I want those|Those should be mine}," thought
  $A. "But I will not work for them."

- "{Good day|Dear neighbour}," said $A. "{That sack looks heavy|You look tired}. {Shall I|May I} carry it for you?" /
  "How kind," said $B, {and gave $A.him the sack|who was tired indeed}. But {at the first corner|behind the first
  tree} $A ran off with it!
- "{Have you heard|Do you know}?" said $A. "There is a {feast|dance} by the {hill|lake}! {Run|Hurry}, or it will be
  over. I will {watch|mind} your sack." Off went $B. There was no {feast|dance}, and when $B.he came back, both $A and
  the sack were gone.

- $B did not {shout|cry}. $B.he sat down and {thought|thought hard}. "{A trick for a trick|Two can play that game},"
  $B.he said at last.
- "So that is how it is," said $B. $B.he was %angry, but $B.he {did not show it|kept quiet and made a plan}.

- The next day $B walked past $A.his door {singing|with a smile on $B.his face}. "{Why are you so glad|What makes you
  so happy}?" %asked $A. / "Because you took the {wrong|bad} sack," said $B. "{The sweet $f.b are still in my
  tree|Mine was full of sour ones. The sweet $f.b are in the hollow log}. {But that is a secret|But do not tell
  anyone}."
- $B {went|came} by the next morning and laughed out loud. "{What is so funny|Why do you laugh}?" %asked $A. / "{You
  have the small $f.b|You took the poor ones}," said $B. "I put the best $f.b in the hollow log. {Nobody will find
  them there|They are as big as my head}."

- Hardly was $B out of sight when $A ran to the {hollow log|log}. $A.he pushed $A.his {head|nose} in, then $A.his
  shoulders, {and then|and} $A.he was stuck! {Not a single $f was there|The log was empty}.
- Of course $A {could not wait|went straight there}. $A.he {crept|squeezed} into the hollow log, {deeper and deeper|as
  far as $A.he could}. There was nothing in it. And now $A.he could not get out!

- "{Help|Pull me out}!" %cried $A. / "{Gladly|With pleasure}," said $B, {who was sitting on the log|who stood behind}.
  "{But first tell me where my sack is|But where are my $f.b}?" / "{Under my bed|In my $A.den}!" said $A. "{Take it,
  take it|You can have them all}!"
- $B {came|sat down beside the log}. "{Are you comfortable|Is it nice in there}?" $B.he asked. "{I will pull you out|I
  can help you} when you give back what is mine." / "{Yes, yes|I will, I will}!" came $A's voice. "{The sack is in my
  $A.den|It is all behind my door}!"

- So $B fetched the sack, and {only|} then pulled $A out by the {tail|back legs}. {And since $B was kind, $B.he gave
  $A one $f|"Here," said $B, "take one $f. Next time ask me, and you may have two."}
- $B took back the sack and {pulled|tugged} until $A {came out|popped out like a cork}. {From that day on|After that}
  $A {thought twice|thought a long time} before $A.he played a trick on $B.
- When $B had the $f.b again, $B.he helped $A out. $A's {ears|sides} were sore {for a week|for days}. "{It is easier
  to work|Work does not hurt so much}," $A.he said, and {the next autumn $A.he picked $A.his own $f.b|perhaps $A.he
  even meant it}.
""", A="trickster", B="walker", f="fruit", P="wild")


plot("$A and the $m|The $A.k and the $m|The Voice in the $m|$B.N and the Wonderful $m", """
- %beast %day $A.he found an old $m {under a bush|by the road}. {Somebody must have lost it|A travelling player had
  left it there}.
- {A travelling player|A player} {lost|dropped} his $m {by the road|in the grass}. A $A.adj $A.b who lived $P {found
  it|came upon it}.

- "{What use is this|Can you eat it}?" thought $A. $A.he {sniffed|bit} it. It {tasted of nothing|was as hard as wood}.
  Then the wind {blew|touched it}, and the $m {hummed|gave a soft sound}. $A {jumped|started}.
- $A had never seen such a thing. When $A.he {touched|poked} it, it {made a sound|sang out}! $A {leapt back|hid}. Then
  $A.he {came near|tried it} again.

- Now in {that place|those parts} a {big|fierce} $B.k {took|stole} whatever $B.he {liked|wanted}. Every animal was
  %afraid of $B.him.
- Not far away lived a $B.k, and {all feared $B.him|nobody was safe from $B.him}. {Each|Every} day $B.he came {to the
  water|that way} and {took the food of the smaller ones|chased all the others away}.

- That {evening|night} $B came to {$A's door|$A.his home}. "{Come out|Give me your food}," $B.he $B.cry, "{or I will
  pull down your house|or I will eat you}!" {$A shook from nose to tail|$A looked left and right, but there was no way
  out}.
- {Soon|Before long} $B stood before $A. "{I am hungry|I have had no breakfast}," $B.he $B.cry, "{and you will do|and
  you look soft and fat}." $A {could not run|had nowhere to run}.

- Then $A.he thought of the $m. {From inside|In the dark} $A.he {made it sound|played} as {loudly|hard} as $A.he
  could. {It boomed and wailed|What a noise it made}!
- But $A {held|still had} the $m. "{Wait|One moment}," said $A, "{first you must hear my friend|the one who lives in
  here is awake}." And $A.he {made|let} it {roar and squeal|sound with all $A.his might}.

- $B {stopped|stood still}. "{What is that|Who is there}?" / "{It is the Great Oom|That is Old Grumbler}," said $A.
  "{It has no mouth, and yet it howls|It has no legs, and yet it is everywhere}. {It eats one $B.k a day|It is looking
  for a $B.k}."
- "What kind of beast is that?" asked $B, {and $B.his voice was small|stepping back}. / "{I do not know its
  name|Nobody knows}," said $A, "{but it woke up hungry|but it grows louder when it smells a $B.k}."

- $B {did not wait to see it|did not stay to ask more}. $B.he {turned|spun round} and ran, over {the hill|two hills}
  and {away|out of sight}, {and was never seen there again|and nobody there ever saw $B.him again}.
- That was enough for $B. {Off $B.he went|$B.he was gone} {like the wind|like a leaf in a storm}, and did not come
  back {that year or the next|at all}.

- And $A? $A.he {learned to play|played} the $m so well that {all the animals|mice and deer} came to {dance|listen} in
  the moonlight.
- The animals gave $A {the best place by the water|a crown of leaves}. "{Big is not the same as brave|A small head can
  hold a big thought}," they said.
- After that there was {peace|quiet}. Only {in the evenings|on feast days} could you hear the $m, {soft and merry|for
  dancing}.
""", A="walker", B="beast", m="drum|horn|fiddle|harp|banjo|pipe|guitar|bagpipe", P="wild")


plot("The $Q.k's $t|Who Took the $t?|$A and the Missing $t|$A.N Finds the Thief", """
- In $l the $Q.k had a $t that $Q.he {loved above all things|wore on feast days|showed to every guest}.
- There was once a $Q.k in $l. Of all $Q.his treasures, $Q.he {loved|liked} the $t best.

- %day the $t was gone from its {box|cushion}. "{Thief|A thief}!" cried the $Q.k. "{Shut the gates|Let nobody leave
  the palace}!"
- But one {hot|summer} morning the {cushion|box} was empty. {The guards looked in every room|They searched the palace
  from roof to cellar}, and found nothing.

- Only $A had been in the room: a $A.k of $A.age who {swept the floors|brought the flowers}. "{So it was you|You took
  it}!" said {the guards|the captain}. / "{I did not|I took nothing}," said $A. "{I only opened the window|It was so
  hot, so I opened the window}."
- "Who was in the room?" asked the $Q.k. / "Only $A, the {gardener|cook}'s child," said {the guards|the captain}. $A
  was {brought in|led in}. "I {only came to open the window|opened the window, as I do every day}," said $A, "and I
  took nothing."

- "You have {until evening|until the sun goes down} to {bring it back|find it}," said the $Q.k. "{If not, you must
  leave this land|If you cannot, your family must go away}."
- The $Q.k {frowned|looked hard at $A}. "{You have an honest face|I want to believe you}," $Q.he said. "{Find the $t
  before night|You have one day}, and I will believe you."

- $A went back to the room and looked {slowly|with great care}. No {lock was broken|drawer was broken}. But on the
  window sill lay {a small feather, black and white|a black and white feather}.
- $A {did not cry|dried $A.his eyes}. "{The door was shut|Nobody came through the door}," $A.he thought, "{but the
  window was open|so it was the window}." And there, {on the sill|below it}, $A.he found a black and white feather.

- "A {magpie|bird with black and white feathers}!" thought $A. "{Magpies love what shines|It likes everything that
  shines}." $A.he took {a tin spoon|a brass button}, {rubbed|polished} it until it {shone|gleamed}, put it {on the
  sill|in the sun} and hid behind the curtain.
- $A knew whose feather it was. $A.he {laid|put} a {bright|shining} {spoon|button} on the window sill and {sat down to
  wait|waited as still as a stone}.

- {An hour went by.|It was a long wait.} Then, {flap, flap|with a flutter}, a magpie {came|flew} down,
  {picked|snatched} the bright thing up and flew to the {old tower|tall poplar}. $A {ran after it|watched where it
  went} and climbed up.
- Then came a magpie. It {put its head on one side|looked left and right}, took the bright thing in its beak and was
  off to the top of {a tall tree|the tower}. And up went $A, {hand over hand|higher and higher}.

- There in the nest lay {four eggs, three pins|glass beads, pins, a thimble} -- and the $t! $A took {only the $t|just
  that} and {left the rest|left the eggs alone}.
- In the nest {something glittered|$A saw pins and beads}, and in the middle lay the $t. {The magpie scolded
  loudly.|"You may keep the button," $A told the magpie.}

- "{The thief has wings|The thief cannot read the law}," $A told the $Q.k, and {laid the $t in $Q.his hand|gave back
  the $t}. "{Please do not punish it|It has eggs to keep warm}." The $Q.k %laughed {till the crown slipped|}.
- The $Q.k {turned red|was ashamed}. "I {blamed you|was angry} before I {knew|had looked}," said the $Q.k. "{Forgive
  me|I am sorry}. {What would you like|Ask for anything}?" / "{A net for the window|A curtain for the window}," said
  $A, "{so that it does not happen again|and a day off}."

- From then on {people said|they said in the palace}: "{First look, then speak|Ask $A}."
- And {in time|when $A grew up} $A became the {wisest|cleverest} judge in the land, for $A.he always {looked at the
  window sill first|looked before $A.he spoke}.
- {That night|In the evening} there was a feast, and $A sat {beside|next to} the $Q.k. Outside, in the nest, {four
  small magpies|the first small magpie} came out of the shell.
""", A="child", Q="king_queen", t="shiny", l="land")


plot("The Race|$A and $B Run a Race|The Great Race|The Slow $B.k|$A.N Who Was Always First", """
- %beast $A.he was {the fastest of them all|faster than all the others}, and {never stopped talking of it|told
  everybody so}.
- $P lived a $A.b who {could run like the wind|was very fast}. "{Nobody can beat me|I am the fastest}!" $A.he said
  {morning, noon and night|ten times a day}.

- "{Will no one race me|Who will run against me}?" {$A asked|asked $A}. Nobody {answered|wanted to}. Then a
  {small|quiet} voice said, "I will." It was $B, {the slowest of all|who had never hurried in $B.his life}.
- %day $A laughed at $B. "{You are so slow|How slow you are}! {The grass grows faster|Moss grows on you}." / "{Let us
  have a race|Race me}," said $B {calmly|quietly}. "{To the old mill|To the tall pine} and back."

- {Everyone|All the animals} came to {watch|see it}. "{Ready|One, two, three}, go!" $A {was off like an arrow|shot
  away}. $B {set off|began} {too|}, one step, and then another.
- When the sun {rose|was up}, they {stood|lined up} by the {stream|big stone}. Off they went! {In a moment $A was out
  of sight|You could see only dust where $A had been}, and $B had {hardly|just} begun.

- Halfway {there|along}, $A came to a $k.c. A young $k {had fallen in|lay there} and {could not get out|was crying for
  help}. "{I have no time|I am busy winning}," {called|said} $A, and ran {on|past}.
- On the way there was a $k.c, and from it came a {thin|small} voice. "{Help|Please help me}!" It was a little $k. $A
  {heard it|looked down} but {did not stop|ran on}. "{Later|After the race}!" $A.he %cried.

- {A long time after|Much later} $B came to the same place. "{A race can wait|The race can wait}," said $B, and {held
  out a branch|put down a branch}. The little $k climbed {out|up}, {wet and shaking|and wept with joy}.
- $B heard the voice {too|as well}. $B stopped, {found a long stick|pushed a log down}, and {got|helped} the $k out.
  {It took quite a while|It took a long time}.

- The little $k {had a mother|called its mother}, and she knew a short way {through the hill|under the thorns}. "{This
  way|Come}," she said, "{it saves half the road|it is only known to us}."
- "{Are you in the race|Where are you going so fast}?" asked the $k's mother. / "{Yes, but I am slow|I am, but
  slowly}," said $B.
  / "Then come through our {tunnel|secret path}," she said. "{It cuts off the whole bend|It goes right under the
  hill}."

- $A was {so sure of winning|so far ahead} that $A.he {sat down|stopped} to {have a drink|eat some $A.food}. {When
  $A.he got up|Then} $A.he saw $B {crossing the line|going over the line}!
- When $A came {round the last bend|in sight of the end}, {proud and dusty|not even tired}, there stood $B, {with
  flowers round $B.his neck|and everyone was cheering}.

- "{How|How did you do it}?" {gasped|asked} $A. / "{I stopped|I went slowly enough to hear somebody call}," said $B.
  $A {thought about that|was silent} for a long {time|while}.
- "But you are slow!" said $A. / "{I am|Yes}," said $B, "{but I have friends everywhere|and so I see who needs me}."
- $A {was ashamed|hung $A.his head}. {That evening $A.he went to see the little $k|The next day $A.he went to the
  little $k} and said {sorry|that $A.he was sorry}. After that $A {still ran|ran as fast as ever}, but {when someone
  called, $A.he stopped|never past someone in trouble}.
""", A="runner", B="slow", k="mole~moles~deep hole|mouse~mice~steep ditch|shrew~shrews~hole in the road|"
       "vole~voles~muddy ditch", P="wild")


plot("The Proud $A.k|$A and the Mirror of Water|$A Who Was Proud of $A.his $b|"
     "The Most Beautiful $A.k", """
- %beast $A.he had {the finest|the loveliest} $b {of all|far and wide}, and {looked at $A.self in the water all
  day|was very proud of $b.b}.
- There was no $b like $A's. $A was a $A.k who lived $P. {Every morning|Each day} $A.he went to the {pool|pond} and
  looked at $A.self. "{How beautiful I am|Nobody is as fine as I am}!" $A.he said.

- %day $B, {a small brown $B.k|a plain little $B.k}, came to {drink|the water}. "{Go away|Not here}," said $A. "{You
  spoil the picture|You make ripples, and then I cannot see my $b}."
- A {plain|brown} little $B.b {greeted $A.him|said good morning}. "{Do not stand near me|Please move}," said $A. "{You
  are so plain|Someone might think we are friends}."

- $B {said nothing|did not answer} and went to the {other side|far end}. {"Poor thing," said the others, but they did
  not dare to say more.|That night the wind changed.}
- "{We cannot all be beautiful|As you like}," said $B, and {drank|had a drink} {a little further on|lower down}.

- {Not long after|A few days later} $A {was walking|walked} {through the thorn bushes|among the brambles}, looking
  {over $A.his shoulder at $A.his own shadow|at nothing but $A.his $b}. And so $A.he was caught! {The thorns held
  $A.him fast|Thorns to the left, thorns to the right}.
- %day there was smoke: {the dry grass|the grass} was burning. All ran. $A ran too, but $A.his fine $b caught in a
  {thorn bush|thorny branch}, and {$A.he hung there|there $A.he was, held fast}.

- The more $A.he pulled, the {tighter it held|worse it got}. "{Help|Help me}!" {cried $A|$A cried}. {The others were
  too big to get in|The bigger animals could not reach $A.him among the thorns}.
- "{Can nobody help me|Will nobody help}?" $A called. {But the thorns were sharp|Thorns are sharp}, and {nobody big
  could get near|no large animal could come in}.

- But someone {small and brown|small} could. $B {slipped|came} in under the {branches|thorns} and {bit|pulled}
  {them|the twigs} away one by one, {until $A was free|though they scratched $B.him}.
- Then came $B. {$B.he was so small that no thorn touched $B.him|$B.he was so small, and as brown as the twigs}.
  {Snip, snip|Twig by twig}, $B.he {worked|nibbled} until $A could get out.

- {Half of the fine $b was gone|The fine $b was torn and dirty}. $A looked in the {pool|water} and {hardly knew
  $A.self|was silent}. Then $A.he saw $B's face {beside $A.his own|in the water too}. {It was scratched, and it was
  smiling|It was kind}.
- At the {pool|pond} $A looked at $A.self. {What a sight|Torn and dusty}! But {strange to say|it was odd}: $A.he did
  not {mind|weep}. $A.he {turned|looked round} for $B.

- "{Yesterday I thought you plain|I called you plain}," said $A. "{I was looking at the wrong thing|I did not know how
  to look}." / "{Drink with me|Come and drink}," said $B.
- "{Stay|Come here}," said $A. "{There is room for two in this pool|The water is big enough for two faces}."
- "{I was rude to you, and you came|Why did you help me, after what I said}?" asked $A. / "{You were stuck|You
  called}," said $B.

? The $b {grew again|was fine again} in the spring. But now {when somebody said how lovely it was|if you praised it},
  $A {only said|answered}, "{You should meet my friend $B|Have you seen how $B can work}?"
? {Since then|From that day} two faces look up from the {pool|water} every morning.
""", A="proud", B="nibbler", b="tail~it|coat~it|mane~it", P="wild")


plot("$A and $B on the Bridge|The Narrow Bridge|Two on a Bridge|Neither Would Move", """
- Over a {deep|wild} {river|stream} $P lay a {narrow bridge|bridge}, {so narrow|no wider than a plank, so} that only
  one could cross {at a time|it}.
- There was a bridge, {just a fallen tree|one log, no more}, over a {rushing|cold} stream. {Two could not pass on
  it|Only one could walk on it}.

- %day a $A.b came from {one side|the left} and a $B.b from {the other|the right}. In the middle they met, {nose to
  nose|face to face}.
- {Early one morning|At noon} $A {stepped|went} on to it, for the {grass|food} was {better|greener} on the other side.
  At the {same time|other end} $B, a {stubborn|proud} $B.k, came {across the other way|on too}. They met in the
  middle.

- "{Go back|Let me pass}," said $A. "{I was here first|I am the older}." / "{No, you go back|Go back yourself}," said
  $B. "{I am the bigger|I am in a hurry}."
- "{Out of my way|Move}!" said $B. / "{Move yourself|I never move}," said $A. {They stamped|They stared at one
  another}.

- So they stood. The sun {rose high|climbed}. {Neither would take a step back|Both were hungry, and neither moved}.
  {An hour went by, and then another|Noon came and went}.
- They stood and {stood|glared}. {A snail crossed between their feet|Flies sat on their ears}. {It began to rain|The
  sun went behind a cloud}. "{I can wait|I have time}," said $A. / "{So can I|I have more}," said $B.

- Behind $A came $C, {a small $C.b|a $C.adj $C.b}, {with a basket of eggs|who was late for supper}. "{Why do you not
  cross|What is this}?" $C.he asked. / "{Because of $B.him|I will not give way}," said $A.
- {Then along came|Just then there came} a {little|small} $C.b. "{May I pass|Excuse me}," said $C. "{Why are you
  standing here|How long have you been standing here}?" / "{Since morning|All day}," they said.

- $C {laughed|looked from one to the other}. "{I know a way|It is easy}," $C.he said. "{One of you must lie down|One
  lies down}, {and the other must|and the other can} step over, {very carefully|softly}. {The one who lies down is the
  stronger|It takes a strong back}."
- "{You want to show who is the greater|Who of you is the stronger}?" asked $C. "{Then|Well}, any fool can push. {Only
  the truly strong can lie down and be a bridge|Can you bear the other on your back}?"

- "{I am strong|I can do that}," said $A {at once|quickly}, and lay {down|flat}. $B {stepped over|went over}, {as
  light as $B.he could|on the tips of $B.his feet}. {Not a stone fell|Neither fell}.
- $A and $B looked at each other. Then, {to the surprise of both|for the first time that day}, $A {knelt|lay} down.
  "{Mind my ears|Step softly}," $A.he said, and $B stepped over.

- "{Thank you|That was well done}," said $B from the other side. "{Tomorrow it is my turn|Next time I will lie down}."
  {And so it was|And $B.he kept $B.his word}.
- {On the other side|Safe across}, $B turned. "{I was foolish|We lost a whole morning}," $B.he said. "{Next time I lie
  down|Tomorrow I shall be the bridge}." / "{Good|I shall be glad}," said $A.
- {Since then they meet there every day|And now they meet there every morning}. {First one lies down, then the
  other|They take turns}. And {if it takes a little longer, it is because they stop to talk|the small ones run across
  on both their backs}.
""", A="stubborn", B="stubborn", C="walker", P="hills")


plot("The Two Rivals|The Two Neighbours|$A Helps $B|$A and the Rival|The Prize of $l.b", """
- $A and $B were {both|the two} best {$x.b|$x.b} {in the valley|far and wide}. {Neither had a good word for the
  other|They did not speak to each other}.
- In one village there were two {young|} $x.b, $A and $B. {Each wanted to be the best|When one smiled, the other
  frowned}.

- Every {autumn|year} there was a {prize|contest}: a {silver|golden} {cup|ribbon} for the best $x.c. {Last year $A had
  won it, by a hair|One year $A won it, the next year $B}.
- The {feast|fair} was near, and the best $x.c would win {a silver cup|a golden ribbon}. "{I must win|This time it
  will be mine}," said $A. / "{We shall see|Not while I am here}," said $B.

- {All week|Day and night} they worked. $A {shut $A.his door|covered the window} so that $B could not {see|look in}.
  $B did the same.
- $A {worked by candle light|got up before the sun}. So did $B. {At night each could see the other's lamp|Across the
  street the two lamps burned}.

- The {evening|night} before the {fair|great day}, $A {heard a crash|saw that $B's lamp was out}. {$A.he looked over
  the wall|$A.he went to see}. There sat $B {on the step|in the yard}, {holding $B.his hand|with a cloth round $B.his
  hand}. "{I have cut it|I burned it}," said $B. "{I cannot finish|Now you will win}."
- Then, {one day|two days} before the end, $B {fell from a ladder|slipped on the wet steps} and hurt $B.his
  {arm|hand}. $A heard {of it|the news}. "{Now I shall win|Now the cup is mine}," {thought $A|$A thought}. But {it did
  not feel good|the thought tasted sour}.

- $A went {home|back in}. $A.he looked at {$A.his own work|what $A.he had made}. "{What is a prize worth|Is it a
  victory}," $A.he thought, "{if nobody runs against you|if the other cannot play}?" {And $A.he went over to $B's
  house|So $A.he took $A.his tools and went across the street}.
- {All evening $A walked up and down|$A could not eat}. {At last $A.he knocked at $B's door|Then $A.he went to $B's
  door and knocked}. "{Tell me what to do|I have two good hands}," said $A. "{Use mine|I will be your hand}."

- $B {stared|could not believe it}. "{Why|You would help me}?" $B.he said. / "{Because I want to beat you fairly|It is
  no fun to win against no one}," said $A. {They worked till morning|All night they sat side by side}, and {$A learned
  three new things|each learned from the other}.
- "{Is this a trick|Do you mean it}?" asked $B. / "{No trick|I do}," said $A. So $B {told $A.him|showed $A.him} {what
  was missing|how it should be}, and $A did it. {Before they knew, they were laughing|They talked, and the night was
  short}.

- At the {fair|contest} the judges {looked long|walked up and down}. Then they gave the prize to $B! {Everyone looked
  at $A|It was very quiet}. And $A {clapped first|was the first to clap}.
- The judges could not {choose|decide}. "{This is $A's hand|I see the hand of $A} in the work of $B," said {one|the
  oldest}, "{and it is good|and both are good}. {We need two prizes|The prize goes to both}."

- "{Half of it is yours|I could not have done it alone}," said $B. {They went home arm in arm|And that evening only
  one lamp burned, and two friends sat by it}.
- The next {year|spring} they {opened a shop|set up} together: $A and $B, {the best $x.b in the land|it said over the
  door}.
- {They were still rivals after that|Next year they tried to beat each other again}. But {they were friends first|now
  they did it with the door open}.
""", A="child", B="child", l="x~the Fair",
     x="x~basket makers~basket|x~bakers~cake|x~potters~jug|x~weavers~cloth|"
       "x~kite makers~kite|x~lantern makers~lantern|x~carvers~wooden bird")


plot("The Bird with the Hurt Wing|$A and the $B.k|$A Finds a Bird|The Winter Guest|"
     "$B in the Window", """
- %child One {cold|windy|autumn} {morning|day} $A.he found a $B.k {under a bush|by the path|in the grass}. It could
  not fly. {One wing hung down|Its wing was hurt}.
- After the storm $A, a $A.adj $A.k who lived $P, {went out|looked in the garden}. There {sat|lay} a {wet|small} $B.k
  with a hurt wing.
- Something {fluttered|moved} by {the gate|the wall}. $A bent down. It was a $B.k, and it had a {broken|hurt} wing.

- "{Do not be afraid|I will not hurt you}," $A {said %softly|whispered}. The $B.k {pecked $A.his finger|opened its
  beak}, but $A {held it softly|did not let go} and {carried it home|took it home in $A.his cap}.
- $A {took off $A.his scarf|put $A.his cap over it} and {lifted it up|picked it up}. $A.he could feel its heart:
  {tick, tick, tick|quick as a clock}.

- $G tied up the wing {with a strip of cloth|with soft thread}. "{It needs time|It must rest}," said $G, "{and
  $B.food|and food, and a warm corner}." They put it in {a basket|a box with straw} by the {stove|window}.
- "{Can you mend it|Will it die}?" asked $A. $G {looked at the wing|put on $G.his glasses}. "{We can try|Wings can
  mend}," $G.he said, and {bound it|tied it} with {a ribbon|thread}.

- Every day $A {brought it $B.food|fed it}. {At first|In the beginning} the bird {would not eat|hid its head}. {Then
  it took a little|On the third day it ate} from $A.his hand. $A called it $N.
- $A named the bird $N. {Every morning $A.he changed the water|$A told it everything that happened at school}. {$N
  listened with its head on one side|$N looked at $A.him with one bright eye}.

- {Winter came|Snow fell}. $N {hopped round the table|sat on $A's shoulder} and {$B.cry in the mornings|$B.cry when $A
  came home}. "{You will stay with me always|You are my bird now}," said $A.
- {All winter|Through the dark months} $N lived {in the house|with them}. {It slept on the clock|It rode on $A's
  head}, and when $A was %sad, it $B.cry {until $A.he laughed|softly}.

- Then spring came. {Outside, other birds called|The birds were back in the trees}. $N sat {on the sill|at the window}
  and {beat its wings|pecked at the glass}. The wing was {well|strong again}.
- In spring $G {untied|took off} the {cloth|ribbon}. $N {spread|stretched} its wings and flew {round the room|up to
  the lamp}. {Then it looked at the window|It flew to the window and looked out}.

- "{It wants to go|It hears its friends}," said $G. / "{No|But it is mine}," said $A. {$A.his eyes filled with
  tears|$A.he held $N close}. {But at night $A.he could not sleep|The little heart went tick, tick, tick, as on the
  first day}.
- "{It is yours only if it may choose|A bird is not a cup that you can keep on a shelf}," said $G %softly. $A {did not
  answer|said nothing} for a long time.

- {In the morning|Then} $A opened the window. "{Fly|Go}, $N," $A.he said. $N {sat a moment on $A.his hand|looked back
  once}, and {flew|was gone}, over the {roof|tree}, into the blue.
- So $A {carried $N out|opened the window wide}. {For a moment nothing happened|One breath, two breaths}. Then the
  wings opened, and $N {rose up|flew} {higher and higher|into the sun}.

- The house was {quiet|very still}. But {one morning|a week later} there was a tap at the {window|glass}. $N sat
  there, {with a straw in its beak|and beside it a second $B.k}. {They built their nest under the roof|It was building
  a nest in $A's tree}.
- {Every year, when the snow melts|Each spring}, a $B.k {taps|knocks} at $A's window, looks in and flies off again.
- $A {waved|stood} until $A.he could see it no more. $A.he was %sad and %happy {at once|both together}. "{I did
  that|That wing}," $A.he said, "{is flying because of me|was in my hand}."
""", A="child", B="hurtbird", G="elder", N="Feather|Tip|Snowflake|Pepper|Sky|Button|Twig|Berry|Cloud",
     P="home")


plot("$A and $B in Winter|The Last $f|Half a $f|Enough for Two|$A Shares", """
- {Winter had come|It was a hard winter} $P. The snow was {deep|as high as a house}, and {food was hard to find|there
  was little to eat}.
- It had snowed for {a week|three days}. In {a|one} $A.den lived a $A.b, and in {all|the whole of} $A.his store there
  was only one $f left.

- $A, a {small|thin} $A.k, had just one $f. $A.he {put it on the table|looked at it}. "{Half today and half
  tomorrow|If I eat it all, there is nothing for tomorrow}," $A.he said.
- $A {counted what $A.he had|looked in the cupboard}. One $f! "{It must last until the snow melts|I will eat a small
  bite each day}," said $A.

- {Then there was a knock|Knock, knock}! Outside stood $B, a $B.k, {white with snow|shaking with cold}. "{I have eaten
  nothing for two days|I only want to warm myself a little}," said $B.
- {Just then|%night} someone {knocked|scratched} at the door. It was $B, a {poor|tired} $B.k. "{I lost my way in the
  snow|My home is under the snow}," said $B. "{I am so cold|Let me in, please}."

- $A looked at the $f. {It was so small|It was not big}. Then $A.he looked at $B. "{Come in|Sit down}," said $A.
  "{There is not much, but half is yours|I have one $f. We will cut it in two}."
- "{If I share it, there will be too little|One $f is too little for two}," thought $A. But {how thin $B was|$B's
  teeth were chattering}! $A {took a knife|fetched two plates} and {cut|cut the $f} down the middle.

- They ate {slowly|every crumb}. {Afterwards they sat close together|Then they sat by the fire}, and {it was warmer
  with two|$B told such stories that they forgot to be hungry}.
- "{I have never eaten a better meal|How good that was}," said $B. {All that was left was the seeds|They even licked
  the plates}. {Outside the wind howled, but inside it was warm|And then they slept, back to back}.

- In the morning $B said, "{Now I can walk again|You have made me strong again}. {I remember something|Now I can
  think}: in the autumn I hid {some nuts and apples|a sack of corn} {under the old bridge|under a fallen tree}. {I
  could not dig alone|I was too weak to dig}. {Come with me|Will you help me}?"
- "{Wait|Listen}," said $B the next day. "{Under the big stone|By the frozen pond} I once saw {a heap of apples and
  roots|a whole store of nuts}, left by {a farmer|someone who moved away}. {But it takes two to dig|One alone cannot
  dig it out}."

- Together they {went|walked} through the snow. $A dug {in front|on the left}, $B dug {behind|on the right}. {At
  last|They dug till their paws were sore, and} there it was: {food for a whole winter|enough for the two of them till
  spring}!
- They dug {all day|and dug}. {"Is it here?" asked $A. "Deeper!" said $B.|The snow was hard as stone.} And {then|at
  sunset} they found it: {a heap as high as a chair|more than they could carry}!

- "{If you had not shared with me|Without that half of a $f}," said $B, "{I would not be here|we would both be hungry
  now}." / "{And I would be alone|And without you I would still be hungry}," said $A.
- They {carried|dragged} it home, and {nobody was hungry that winter|they asked the neighbours to supper}. {In spring
  they planted the seeds of that one $f|And when anybody knocked, they opened}.
- {That winter was long|The snow lay for two more months}, but {not too long for two|neither of them minded}. They
  lived {in one house|together}, and {they live there still|in spring they were still there}.
""", A="eater", B="eater", f="apple|pear|turnip|pumpkin|carrot|potato|beet|cabbage", P="wild")


plot("$A and the Great $B.k|The Small Friend|$A Helps $B|How $A Saved $B|"
     "No One Is Too Small", """
- %beast {Nearby lived|In the same place lived} $B, a {huge|mighty} $B.k. When $B went by, the {ground|earth} shook.
- $P lived a {tiny|very small} $A.b and a very {big|large} $B.b. {$A often sang, and $B could not sleep|$B hardly knew
  that $A was there}.

- %day $B {nearly stepped on $A|put down a foot, right beside $A}. "{Look out|Stop}!" %cried $A. / $B {bent
  down|looked}. "{You are so small|I did not see you}," said $B. "{What are you good for|Can somebody so small do
  anything}?"
- "{Can we be friends|Let us be friends}," said $A %day. / $B {laughed|laughed till the leaves fell}. "{What can you
  do for me? You are no bigger than a nut|You? But you are no bigger than a nut}," said $B.

- "{Small ones can help too|You may need me one day}," said $A. $B {only laughed|went away laughing}.
- $A was {hurt|a little sad}, but {$A.he did not show it|$A.he said only}: "{Wait and see|You never know}."

- {Some time later|That summer} {hunters dug a pit|there was a trap in the forest} {and covered it with leaves|hidden
  under leaves}. $B {walked|came} that way and {fell|crashed} in. {A net|A strong net} closed over $B.him. $B $B.cry
  {so that all could hear|with all $B.his might}.
- Not long after, {in the night|one evening}, there was a {terrible|great} noise. $B was caught in a {hunter's
  net|net}! {The more $B.he pulled, the tighter it held|$B.he pulled and tore, but the ropes were strong}.

- {The bigger animals came|Many animals came} and {shook their heads|pulled at the ropes}. {They were not strong
  enough|It was no use}. "{The hunters will come at sunrise|By morning the hunters will be here}," they said.
- "{Who is strong enough|Who can break such ropes}?" the others asked. {Nobody|No one} answered. {The moon went over
  the sky|The night was nearly over}. {Soon the hunters would come|It would soon be day}.

- Then {came|up came} $A. "{Let me see|Let me}," said $A. {Everyone laughed, but $A did not care|"You?" said the
  others}. $A.he began to {gnaw|bite}. {One string|One thread} broke, {then another|then two, then three}.
- $A heard $B.him and {ran|came as fast as $A.he could}. "{Lie still|Hold still}," $A.he said. $A had {sharp|small}
  teeth, and {teeth are better than strength|$A.he set to work}. {Nibble, nibble|Gnaw, gnaw}, {all night long|without
  a rest}.

- When the {first light came|sky turned grey}, the {last|thickest} rope {broke|gave way}, and $B was free! {The
  hunters found only an empty net|They were far away when the hunters came}.
- The sun {rose|came up} just as the last knot {fell apart|broke}. $B {stood up|shook $B.self}. "{On my back|Climb
  on}, quick!" $B.he said, and {away they went|together they ran}.

- "{I laughed at you|I asked what you were good for}," said $B. "{Now I know|I am ashamed of it}." / "{You were only
  looking from too high up|You could not know}," said $A.
- {From then on|After that} $A {rode|sat} {on $B's head|between $B's ears}, and {could see the whole world|told $B.him
  where to put $B.his feet}.
- $B never again {put $B.his foot down|took a step} without {looking|looking first}. And when $A sang {at night|in the
  evening}, $B {said it was the finest song in the forest|fell asleep to it}.
""", A="nibbler", B="great", P="wild")


plot("The Fire in the Forest|$A and the Fire|One Drop at a Time|The Smallest $A.k", """
- {In the hottest summer of all|It was a hot, dry summer}, and $P {every leaf was dry|the ground was as hard as
  stone}. There lived a {little|small} $A.b.
- %beast It had not rained for {weeks|two months}, and {the grass was yellow|the streams were thin}.

- %day {lightning struck|a spark fell}, and {the trees began to burn|there was fire}! {The animals ran|All the animals
  ran} to the {river|lake} and {stood|watched}. "{What can we do|There is nothing we can do}?" said $B. "{The fire is
  too big|It is the end of our forest}."
- Then came the smell of smoke. "Fire!" {they cried|cried the animals}. {Big and small|All} ran to the {river|lake}
  and looked back. "{All is lost|Our home is burning}," said $B.

- But $A {filled $A.his beak with water|took a beakful of water} and flew to the fire. {One drop|A few drops} fell.
  {Hiss|Tsss}! Then back to the water {for more|again}.
- $A said nothing. $A.he {flew down|dipped $A.his beak in the water}, {took one mouthful|filled $A.his beak}, flew
  {over the flames|up} and let it fall. {And again|And back $A.he went}.

- "{What are you doing|Do you think that will help}?" %asked $B, {a big $B.k|the $B.k}. "{Your beak is so small|One
  drop is nothing}." / "{I am doing what I can|It is what I can do}," said $A, and was off.
- $B, {the biggest of them|a strong $B.k}, {shook $B.his head|looked on}. "{You cannot put out a fire with drops|Stop
  it, little one}," $B.he said. / "{I know|Perhaps not}," {said|called} $A, "{but I can carry this one|but this drop
  is mine to carry}."

- {Again and again|To and fro} $A flew. $A.his {wings|feathers} were {black with smoke|singed}. $B {looked|stood}
  there, with all that {strength|water} {in front of $B.him|at $B.his feet}. And suddenly $B.he {was ashamed|could not
  stand still any more}.
- $B {watched|counted} the drops. Ten. Twenty. {Thirty|A hundred}. {$A was coughing now|$A was so tired that $A.he
  nearly fell}, but $A.he {did not stop|flew again}. "{And I just stand here|And I stand here, as big as I am},"
  thought $B.

- "{Come on|All of you}!" $B $B.cry. {The animals made a line|They made a long row}, and {water went from one to the
  other|they passed on water in leaves and shells}. {Others dug|The moles and badgers dug} a ditch, so that the fire
  could not {cross|spread}.
- $B {went into the water|walked into the water}, and {splashed|threw} as much as $B.he could. {Then came the
  deer|Then the deer came}, then the {bears|boars}, then the {mice|frogs}. {Everyone carried something|All carried
  what they could}: {a mouthful, a leaf full, a shell full|some much, some little}.

- {All day they worked|They worked until dark}. {By evening|When the moon rose} the fire was {small|low}, and {then it
  was out|the last flame went out with a hiss}. {Half|More than half} of the forest still stood.
- {And in the evening, as if it had waited for them, the rain came|Then the wind turned, and it rained}. {Hiss, went
  the fire, and was gone|The fire went out}.

- "{You put out the fire|It was you}," they told $B. / "{No|Not I}," said $B, and {pointed|looked} up to where $A sat
  {asleep|fast asleep} on a branch, {black as coal|black with soot}. "{It was the first drop that did it|$A carried
  the first drop}."
- "{A drop is nothing|One drop is nothing}," said $B that night. "{But it asks for the next one|But nobody would have
  brought the second without the first}." {And $A slept|$A did not hear it. $A.he was asleep on $B.his back.}
- {Where the fire was, green shoots came up in the spring|In spring new grass grew}. And nobody {laughed at small
  things|said that a drop was nothing} {there|in that forest}.
""", A="tinybird", B="great", P="forest")
