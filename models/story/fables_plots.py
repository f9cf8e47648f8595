"""fables_plots: the plots about people. Owns what happens in them; fables.py says how their text is written.

plot(titles, text, role=kind ...): a kind is one of fables_words' tables (or "girl", "boy", "child"), or its options
written out, "a|b". An option "x~y" has y as $t.b, so that a cause and what follows from it are drawn together.
"""
PLOTS = []


def plot(titles, text, **cast):
    PLOTS.append({"titles": titles.split("|"), "text": text, "cast": cast})


plot("$A and the Lost $t|The Lost $t|Where Is the $t?|$A's $t", """
- %child $G had given $A.him a $c $t, and $A.he {never let it out of $A.his sight|took it everywhere|loved it dearly}.
- %child Of all $A.his things, $A.he {loved|liked} best the $c $t that {came|was a present} from $G.
- $A had a $c $t. It was a {present|birthday gift} from $G, and $A.he {carried|took} it {everywhere|wherever $A.he
  went}.

- %day the $t was gone. $A {looked|searched} under the bed. $A.he {looked|searched} behind the door. It was not there.
- But %day $A {put $A.his hand in $A.his pocket|looked in $A.his bag}, and the $t was not there. "Oh no!" %cried $A.
- %day $A {woke up|came home} and could not find the $t. $A.he turned the {house|whole house} upside down.

- "{When did you last have it|Where did you last see it}?" %asked $G. / "{Yesterday, by|I had it at} $s," said $A. So
  $A.he ran to $s and looked {everywhere|all around}, but {there was only dust|the $t was not there|found nothing}.
- $A went to $s and %asked $B. / "Have you seen my $c $t?" / "No," said $B. "But I will help you look."
- $A.he sat down near $s and {cried|wept}. $B came by. "{Why are you crying|What is the matter}?" %asked $B. / "I have
  lost the $t that $G gave me," said $A.

- "{Let us think|Do not cry|Wait}," said $B. "{Where did you play|What did you do} this morning?" / $A thought hard.
  "I {played|was} $h," $A.he said. "I {remember|remember now}! I {bent|knelt} down there."
- $B {sat down|scratched $B.his head} and thought. "You had {straw|mud|leaves} on your {sleeve|knees} this morning,"
  $B.he said. "{You must have been|Were you not} $h?"
- Together they walked back the way $A had come, {step by step|looking left and right}. At last only one place was
  left. "{I was|I played} $h too," said $A.

- They ran there together. {And there, $h,|There, $h,} {lay|was} the $c $t! It was $h.b, but {not broken|still whole}.
- $A looked $h. Something $c {shone|peeped out}. It was the $t, $h.b but {safe|not broken}!
- They went to look. "I see it!" %cried $B. {And sure enough,|Yes,} $h was the $t. It was $h.b.

- $A hugged $B. "{You are a good friend|What would I do without you}!" $A.he said. {That night|That evening} $A.he
  tied the $t to a {string|ribbon} so that it would never get lost again.
- $A wiped it clean and ran home to show $G. / "{Things get lost|We all lose things}," said $G, "and sometimes they
  are found. {A friend who helps you look|But a friend like $B} is worth more than any $t."
- "Thank you, $B," said $A. From then on, whenever $B lost something, $A was the first to {help|look for it}.
- "I could not have found it {alone|without you}," said $A. And $A.he let $B {keep|have} the $t for a whole day.
""", A="child", B="child", G="elder", t="lost", c="colour", s="spot",
     h="in the hen house~covered with feathers|under the cart~covered with dust|"
       "behind the water jar~quite wet|under the apple tree~half hidden by leaves|"
       "in the hay~full of straw|beside the stream~muddy")


plot("$A and the Broken $t|$A Tells the Truth|The Broken $t|Who Broke the $t?", """
- %child In {the kitchen|the front room} stood a $c $t that belonged to $G. Nobody {was allowed to|might} touch it.
- %child $G had a $c $t, {very old and very dear to $G.him|older than anyone in the house}. It stood on a {high
  shelf|table}.
- On a shelf in $A's house stood a $c $t. "{Look at it, but do not touch it|Be careful of it}," $G always said.

- %day $A was {playing with a ball|chasing $p} in the {room|house}. Crash! The $t fell {down|to the floor} and broke
  in two.
- %day $A {wanted to see|climbed on a chair to see} it {better|from near}. $A.his hand {slipped|shook}, and down it
  fell. {The $t broke|It broke} into {three|many} pieces.
- %day, while $G was {at the market|in the garden}, $A and $p ran round and round the table. The table {shook|rocked}.
  The $t {fell|rolled off} and broke.

- $A's heart {beat fast|thumped}. $A.he {pushed|swept} the pieces under the {mat|bed} and {ran outside|sat very
  still}.
- "Oh dear," {thought|whispered} $A. "$G will be so %angry!" $A.he hid the pieces {in a box|behind the door}.
- $A looked {left and right|around}. Nobody had seen. $A.he {wrapped the pieces in a cloth|hid the pieces} and said
  nothing.

- When $G came {in|home}, $G.he {looked at the shelf|saw the empty place}. "Where is my $t?" $G.he asked. / "{It was
  $p|I think $p broke it}," said $A.
- "Who has broken my $t?" %asked $G. / $A {looked|stared} at the floor. "{I saw $p jump up|It must have been $p},"
  $A.he said.

- So $p was {shut|put} out in the {yard|cold}. {All evening|The whole evening} $p sat {by the door|outside} and looked
  {in|at $A} with {big|sad} eyes.
- {Poor thing! So $p|So $p} was sent out {with no dinner|without any supper}. $A could hear $p {scratching|crying} at
  the door.

- $A could not eat $A.his {dinner|supper}. {Something|A lie} sat in $A.his {stomach|chest} like a {stone|lump of
  clay}.
- That night $A lay awake. The lie {felt|was} as heavy as a {stone|sack of sand}, and it would not let $A.him sleep.
- The {food|bread} tasted of nothing. $A thought of $p {out there|all alone}, and $A.his eyes {filled with
  tears|stung}.

- At last $A {went|ran} to $G. "It was not $p," $A.he said. "I broke the $t, and then I told a lie. I am {so
  sorry|sorry}."
- "$G!" $A %cried {at last|suddenly}. "$p did nothing. It was me! I broke it, and I was %afraid to {tell you|say so}."

- $G was quiet for a {while|moment}. "I {loved|liked} that $t," $G.he said. "But I love the truth more. {Come|Now},
  let us {call|bring} $p in."
- $G {put $G.his arm around|hugged} $A. "{A $t can be mended|We can mend a $t}," $G.he said. "A lie is {harder|much
  harder} to mend. {I am glad you told me|It was brave to tell me}."
- "{Thank you for telling me|That was hard to say, I think}," said $G. "I am sad about my $t, but I am proud of you."

- $A opened the door, and $p {ran|jumped} straight into $A.his arms. Together $A and $G {glued|stuck} the pieces {of
  the $t|} together. You could see the {cracks|lines}, but it stood on the shelf {again|once more}.
- $A gave $p the {best|biggest} bit of {dinner|supper}. {After that|Then} $A.he slept {soundly|well}, for the
  {stone|heavy feeling} was gone.
- The next day they mended the $t with glue. It was {not as pretty as before|crooked}, but whenever $A saw it, $A.he
  remembered {to tell the truth|that day}.
""", A="child", G="elder", t="jug|bowl|vase|teapot|clay lamp|pot|plate|mirror", c="colour",
     p="the cat|the dog|the puppy|the kitten|the little goat")


plot("The Quarrel|$A and $B|$A and $B Make Up|One $t for Two|The Two Friends and the $t", """
- $A and $B {lived|had always lived} side by side $P. They {did everything together|were the best of friends}.
- $P there lived two friends, $A and $B. Where $A went, $B went too.
- %once there were two friends called $A and $B. They lived $P and {shared everything|were never apart}.

- %day they found a $c $t {lying in the grass|by the road|under a bush}. "{It is mine|Mine}!" said $A. "I saw it
  first." / "No, it is mine," said $B. "I picked it up."
- %day they found a $t {in an old box|by the river}. It was $c and {very fine|as good as new}. Both of them
  {reached|grabbed} for it. / "{Let go|Give it to me}!" cried $A. / "You let go!" {cried|shouted} $B.

- They pulled and {pulled|tugged}, and {then|at last} -- crack! The $t {came apart|broke} in two. $A had one half and
  $B had the other.
- $A pulled one {way|side} and $B pulled the other, until the $t broke. {Now each had a half, and neither half was any
  use.|Now it was no good to anyone.}

- "I {never want to see you again|will never play with you again}," said $A, and $A.he {went|marched} home. $B went
  home too, and {slammed|shut} the door.
- They {turned their backs|said not one word more}. $A {walked|went} one way and $B {walked|went} the other.

- {For three days|For a whole week} they did not {speak|say a word to each other}. $A played alone, but {it was no
  fun|the games were dull}. $B sat {by the window|on the step} and {looked at the rain|counted the clouds}.
- The days were {long|slow and grey}. "{I do not miss $B|I do not need $B}," $A told {the cat|the wall}. But it was
  not true. And $B {kicked|threw} stones into the {pond|ditch} and felt %sad.

- %day $G {asked|said}, "{Where is your friend|Why does $B not come here any more}?" $A told the whole story. / "{Half
  a $t and half a friend|A $t}," said $G, "{that is not much|is a small thing to pay a friend for}." $A thought about
  that.
- "What is that in your hand?" asked $G. / "Half a $t," said $A {sadly|in a small voice}. / "And where is the other
  half?" / $A did not answer. But $A.he {put on $A.his shoes|got up}.

- $A took {some glue and|} $A.his half of the $t and went {out|down the road}. Halfway {there|to $B's house} $A.he met
  $B, who was coming {the other way|along} with the other half.
- When $A opened the door, there stood $B with {the other half|half a $t} in $B.his hand. "I was {coming|on my way} to
  you," said $A.

- "I am sorry," they said, both at {once|the same time}. Then they %laughed.
- "I am sorry I {shouted|pulled}," said $A. / "I am sorry too," said $B. "{I missed you|It was so dull without you}."

- They {put|stuck} the two halves together. {From that day|After that} the $t lived one week with $A and one week with
  $B.
- They mended the $t {together|that afternoon}, and it {worked|was} {almost|nearly} as good as {new|before}. The
  friendship was even better.
- The $t had a {crack|line} down the middle ever after. "{That is where we stick together|It is our friend line},"
  said $B.
""", A="child", B="child", G="elder", t="toy", c="colour", P="home")


plot("$A Cries Wolf|The $b in the Field|$A and the False Alarm|Nobody Believed $A", """
- %child Every day $A.he {watched|looked after} the {sheep|goats} on the hill.
- $A was a $A.k who kept the {sheep|goats} of a village. $A.he sat on the hill all day, and the days were {long|dull}.

- %day $A was {bored|tired of sitting still}. "{I will have some fun|I know a game}," $A.he thought. $A.he ran
  {down|down to the village} and cried, "A $b! A $b!"
- To make the time go faster $A thought of a trick. "Help!" $A.he {cried|shouted}. "A $b is coming! Help!"

- The people {dropped|put down} their {work|tools} and ran up the hill with sticks. There was no $b. $A {laughed and
  laughed|rolled in the grass, laughing}.
- $W was the first to come, {out of breath|red in the face}, and then came all the others. "Where is the $b?" they
  asked. / "{There is none|I made it up}!" said $A, and $A.he laughed.

- "{That was not kind|That is no joke}," said $W. "{We left our work for you|We were frightened for you}." But $A only
  laughed. And the next day $A.he did it again.
- A few days later $A played the {same|very same} trick. {Again|Once more} they all came running, and again $A laughed
  at them. $W shook $W.his head. "{One day you will be sorry|Be careful, $A}," $W.he said.

- Then, one {evening|grey evening}, a real $b came {out of the trees|over the hill}. Its eyes {shone|were yellow}. "A
  $b!" screamed $A. "{Please come|Help}! It is true this time!"
- But %day $A heard a {growl|noise} in the {bushes|trees}. A {big|real} $b stood there! $A ran {down the hill|for
  help}. "A $b! A real one!" $A.he cried.

- Down in the village they heard $A.him. "{It is only $A|$A is at it again}," they said, and {nobody|no one} came.
- The people heard, but they {went on with their work|did not stir}. "{We know that game|We will not run a third
  time}," they said.

- Only $W {stopped|put down $W.his work} and listened. "That voice {is shaking|does not sound like a game}," $W.he
  said. $W.he took a torch and {climbed|ran up} the hill.
- $W {listened|lifted $W.his head}. "{Perhaps|What if} it is true {this time|today}?" $W.he thought. {And $W.he took a
  big stick and went|So $W.he went up with a burning torch}.

- When the $b saw $W, it {ran away|slunk away} {into the dark|among the trees}. One lamb had a torn ear, but {all were
  alive|none was lost}.
- $W shouted and waved, and the $b {fled|turned and ran}. {Just in time|Not one animal was lost}!

- "You came," said $A, {crying|trembling}. "{Why|Why did you believe me}?" / "{I nearly did not|I was not sure}," said
  $W. "{A lie makes the truth hard to hear|Two lies can hide one truth}." / $A never played that trick again.
- $A {held $W's hand all the way home|cried with shame}. "I will never {call for help in fun|lie} again," $A.he said.
  And $A.he kept $A.his word.
- The next day $A went from door to door and said sorry {to everyone|at each one}. It took a {long|very long} time
  before they {trusted|believed} $A.him again, but in the end they did.
""", A="child", W="worker", b="wolf|leopard|bear|tiger", P="home")


plot("$A and the $r|The Honest $A.k|The Purse by the Road|$A Finds a Purse", """
- %child $A.his family was poor, and {often there was only $f for dinner|$A.his shoes had holes}.
- %child There was {little money|never much} in the house, but there was always {a song|a kind word}.

- %day, on the way to $s, $A {saw|found} a purse {in the dust|lying in the road}. It was full of {silver|gold} coins!
- %day $A's foot hit something near $s. It was a {leather|heavy} purse, and inside it were {twenty|thirty|ten} gold
  coins.

- $A had never {seen|held} so much money. "{With this|Now} we could buy {a cow|new shoes and a cow|a whole cart of
  food}," $A.he thought. {But whose was it?|But then $A.he thought of the one who had lost it.}
- "{Nobody is looking|Nobody saw me}," thought $A. $A.he {held|turned} the purse in $A.his hands. "But {somebody is
  looking for it now|somebody is missing it}."

- $A sat down {by|beside} the road and waited. The sun went {over the hill|down}. {At last|In the end} $R came along,
  looking at the ground {left and right|as $R.he walked}.
- {Just then|%later} $R came {hurrying|running} up the road. "My purse! My purse!" $R.he cried. "Has anyone seen my
  purse?"

- "{Is this yours|Is it this one}?" asked $A, and {held it out|gave it back}. / $R {snatched|took} it and counted the
  coins {twice|with quick fingers}. Then a {sly|greedy} look came into $R.his eyes.
- $A held out the purse. $R {grabbed|took} it and began to count. "Hm," $R.he said, and {stroked $R.his chin|looked at
  $A}.

- "There were {more|five more} coins in it," said $R. "{You have stolen some|Where are the others}?" / "I took
  nothing," said $A.
- $R did not want to give {a reward|$A anything}. "{Some coins are missing|You took five coins}!" $R.he said
  {loudly|crossly}. / "I did not open it twice," said $A. "{All is as I found it|I took nothing}."

- The noise brought $J, who {was known to be fair|settled all the quarrels there}. $J listened to them both. "So your
  purse had five more coins?" / "{Yes|Yes, it did}," said $R. / "Then this is not your purse," said $J. "It must
  belong to someone else. {The child may keep it|Give it back to the child} until the owner comes."
- They went to $J, {the wisest person there|who was wise}. "$A says nothing was taken," said $J, "and you say your
  purse held more. Then this cannot be your purse! $A shall keep it until someone comes who lost {just this much|a
  purse like this}."

- $R turned {red|pale}. "I {counted wrong|made a mistake}," $R.he mumbled. "{The money is all there|Nothing is
  missing}." / "{Then|In that case} say sorry," said $J, "and give the $A.k the reward $A.he has earned."
- $R {looked at $R.his shoes|bit $R.his lip}. "It is my purse after all," $R.he said {at last|quietly}. "I lied." And
  $R.he had to give $A {three|five} coins {and say sorry|for being honest}.

- $A ran home with $A.his coins. That night there was {hot soup|a warm meal} and {sweet|fresh} bread on the table, and
  nobody in the house slept better than $A.
- With the reward the family bought {a goat|two hens}, and from then on there was {milk|an egg} every morning.
- "An honest heart," said $A's mother that evening, "{sleeps well|is a soft pillow}." And $A slept {well|soundly}.
""", A="child", R="rich", J="worker", r="Purse", s="spot", P="home",
     f="rice|soup|porridge|bread and onions|lentil soup")


plot("$A and the Dark|The Longest Night|$A Is Not Afraid|The Noise at Night|"
     "What Went $n.c in the Night", """
- $A was a $A.adj $A.k who was afraid of {only one thing|nothing in the world but} the dark.
- %child $A.he was not afraid of {dogs or thunder|spiders or geese}. But $A.he was afraid of the dark.
- By day $A was as brave as a lion. But when the {lamp|candle} was blown out, $A {pulled the blanket over $A.his
  head|hid under the blanket}.

- %night there was a {strange|new} noise. $n.c, $n.c, it went, {outside the window|over $A's head}. $A sat up in bed.
- %night, when all were asleep, $A {heard something|woke}. $n.c! What was that? $n.c! There it was again.

- "It is a {monster|ghost}," {thought|whispered} $A, and $A.his {teeth|knees} {shook|began to shake}. "It has come to
  eat me!"
- "Perhaps it is a {wolf|robber|giant}," {thought|whispered} $A. $A.he did not dare to {move|breathe}.

- $A ran to $G's bed. "$G! There is something {out there|in the dark}!" / $G sat up and lit {a|the} lamp. "{Is there|A
  noise}?" said $G. "{Give me your hand|Let us go and see what it is}."
- "$G!" cried $A. $G came {in|at once} with a {lamp|candle}. "{Shall we go and look|Come}," $G.he said. "A noise is
  {only|just} a noise until you know {its name|what makes it}."

- They {went|crept} out {together|hand in hand}. The {grass|ground} was cold under $A's feet. $n.c, went the noise,
  {very near|nearer and nearer}. $G {lifted|held up} the light.
- {Step by step|On tiptoe} they went {round the house|to the door}. $A wanted to shut $A.his eyes, but $A.he {kept
  them open|looked}.

- And what did they see? It was only $n! / "So that is what you are," said $A, and $A.he {began to laugh|laughed}.
- There in the light was $n. It was {no monster at all|nothing else}. $A {stared|looked}, and then $A.he %laughed.
- "{Look|There is your monster}," said $G. It was $n.

- "{Now look up|And now|Wait}," said $G, and blew out the light. "{Look up|Do not be afraid}." $A looked. The sky was
  full of stars, {more than $A could count|thousands and thousands}. "{The dark made those|You cannot see them by
  day}," said $G.
- $G put out the lamp and they stood {quite still|a while} in the dark. {An owl called|A frog sang}. The
  {flowers|grass} smelled sweet. "{The dark is only the day with its eyes shut|The night is like a big soft blanket},"
  said $G.

- $A went back to bed. $n.c, went $n. "Good night," said $A, and {fell asleep|was asleep at once}.
- After that, when $A heard a noise at night, $A.he {did not hide|got up to see what it was}. {And it was never a
  monster|Most of the time it was only the wind}.
- From that night on, $A asked $G to leave the {window|curtain} open, so that the dark could come in with all its
  stars.
""", A="child", G="elder", P="home",
     n="a branch that knocked on the wall~~Tap|the old gate swinging in the wind~~Creak|"
       "a hedgehog eating from the cat's dish~~Crunch|rain dripping into a bucket~~Plink|"
       "a loose shutter~~Bang|a bean pod rattling in the breeze~~Rattle|"
       "a shirt flapping on the washing line~~Flap")


plot("The New $B.k at School|$B Comes to School|$A and the New $B.k|A Seat for $B|$B's $x", """
- On {Monday|the first day after the holiday} $T came into the {class|classroom} with a new $B.k. "This is $B," {$T
  said|said $T}. "$B.he has come from {far away|another country|a town far away}."
- There was a new $B.k {at $A's school|in $A's class}. $B.his name was $B. $B.he stood at the door and looked at
  $B.his {shoes|feet}.
- One morning a new $B.k sat at the back of the class. "This is $B," said $T. "{Please be kind|Make $B.him welcome}."

- $B {did not speak|said nothing} all {morning|day}. At playtime $B.he stood alone {by the wall|under the tree}.
  "{$B.he is proud|$B.he does not like us}," some children said.
- Nobody knew what to say to $B, and $B {said nothing|did not say a word}. When the others played {ball|tag}, $B.he
  {sat|stood} {on the steps|by the gate} and watched.

- $A {watched|looked at} $B. {$A.he remembered|$A thought of} the day when $A.he had been new {too|there}. {That day
  $A.his stomach had hurt|Nobody had talked to $A.him for a week}.
- "$B is not proud," thought $A. "$B.he is {shy|lonely}. {I would be too|Anyone would be}."

- The next day $A sat down {beside|next to} $B. "{Would you like some $f|I have too much $f}?" $A.he asked. $B {looked
  up|shook $B.his head}, and then {took a little|smiled a very small smile}.
- $A went over. "Hello, I am $A," $A.he said. $B {nodded|looked at the ground}. $A did not know what else to say, so
  $A.he {shared $A.his $f|gave $B half of $A.his $f}. They ate {together|side by side}.

- Then $B took {something|a thing} out of $B.his bag. It was a $x. "{My grandfather made it|I made it}," $B.he said
  {softly|quietly}. It was the first thing that {anyone had heard $B.him say|$B had said at school}.
- $A saw {something|a thing} sticking out of $B's bag. "{What is that|Is that yours}?" $A.he asked. $B pulled it out:
  a $x. "{It is from my old home|I brought it from home}," $B.he whispered.

- "{Can you show me how it works|Show me, please}!" said $A. So $B {showed $A.him|did}. $x.b. {Soon|One by one} the
  other children came {near|closer} to look.
- $B {stood up|began}. $x.b. "{Oh|Look at that}!" %cried $A. {The children stopped their games|Everyone turned round}
  and came to see.

- "Can I try?" asked one. "Me too!" said another. $B {laughed|smiled}. {Now there was no need to be shy|$B.he showed
  them all, one after the other}.
- "{Teach us|Show us again}!" the children {cried|begged}, and $B did. {When the bell rang, nobody wanted to go
  in|Even $T came to watch}.

- After school $A and $B walked home together. "{I was afraid nobody would like me|I thought I would always be
  alone}," said $B. / "{So was I, once|I was new once too}," said $A.
- Now there is always {a crowd|a ring of children} {around $B|under the tree}. But the seat {next to|beside} $B
  belongs to $A.
- A month later another new child came to the school. And who was the first to say hello? It was $B.
""", A="child", B="child", T="teacher",
     f="rice cake|bread and cheese|flat bread|honey cake|orange|mango|corn bread|apple pie",
     x="spinning top~It spun and hummed like a bee|"
       "wooden flute~A tune as clear as water came out of it|"
       "kite~It climbed higher than the school roof|"
       "juggling ball~It flew up and came down behind the back|"
       "paper bird~When the tail was pulled, its wings flapped|"
       "string puppet~It danced and bowed like a real man|"
       "little drum~It talked like rain on a roof")


plot("$A Learns to Swim|$A and the Water|$A Jumps In|The Deep Blue Pool", """
- All the children {of the village|in $A's street} could swim, {all but one|except $A}. $A {sat|stayed} on the bank
  with dry {feet|hair}.
- %child When the others jumped into the {river|lake}, $A sat on a stone and {watched|held their towels}.

- "{Come in|Jump}, $A!" %cried $B. "{The water is warm|It is lovely}!" / "{Not today|I do not feel like it}," said $A.
  But the truth was that $A.he was %afraid.
- "Are you {afraid|scared}?" %asked $B. / "No," said $A. "I {have a cold|am just tired}." But it was not so. The water
  looked {deep and green|dark and deep}.

- Now $A had a $p called Bello. Bello was not afraid of {anything|water}. %day Bello ran {after a stick|into the
  water} and swam far out.
- That day $A had brought $A.his $p, Bello. A {duck|dragonfly} flew {up|past}, and Bello {jumped|splashed} in after
  it.

- {Suddenly|Then} Bello {cried out|yelped}. His {foot|paw} was caught in the {weeds|roots}, {not far from the
  bank|near the edge}. "{Help him|Somebody help}!" cried $A. But the others were {far down the river|too far away}.
- But Bello's collar {caught|got stuck} on a {branch|root} under the water. He {splashed|pulled} and could not get
  {free|loose}. $A looked around. {Nobody was near|The others were far away}.

- $A put one foot in the water. It was cold. $A.he put in the other. "{I am coming|Hold on}!" $A.he said, {and $A.his
  voice shook|and $A.he shook}. The water came up to $A.his knees, then to $A.his {middle|chest}.
- There was no time to {be afraid|think}. $A {walked|stepped} into the water, up to the knees, up to the waist, {up to
  the chest|holding on to the reeds}.

- $A {reached out|felt about} under the water and pulled the {weed|twig} away. Bello was free! He {shook|swam round
  $A} and {licked|kissed} $A's nose.
- With one {hand|arm} $A held the $p. With the other $A.he {worked|pulled} him loose. Bello {paddled|swam} to the
  bank.

- "$A!" %cried $B. "You are in the {water|river}!" / $A looked {down|around}. {So $A.he was|It was true}! And it {was
  not so bad|did not bite}.
- Only then did $A see where $A.he was {standing|}. The water {was soft and cool|sparkled all around}. "{It holds me
  up|It is not so bad}!" $A.he said in surprise.

- Every day after that $B held $A.him {under the arms|up} and taught $A.him to kick. By the end of the {summer|month}
  $A could swim {across|like a frog}. And Bello swam {beside $A.him|ahead}.
- "{Will you teach me|Show me how}?" $A asked. $B did. {It took a week and much splashing|$A swallowed a lot of
  water}, but then $A could swim {right across|by $A.self}.
""", A="child", B="child", P="home", p="dog|puppy")


plot("$A Sings|$A's Song|The Small Voice", """
- $A had a {lovely|sweet} voice, but {nobody knew it|only the hens knew}. $A.he sang {to the hens|when nobody was
  near}.
- %child $A.he loved to sing. But when anyone {was listening|came near}, $A.his {throat closed|voice ran away}.

- %day $T said, "There will be a $f, and {each class will sing|we shall sing}. Who will sing the first {verse|song}?"
  $A {wanted to put up $A.his hand|looked at the floor}.
- The $f of the {harvest|spring|new year} was near, and $T {needed|was looking for} someone to sing. $A {said
  nothing|hid behind $B}.

- "$A can sing," said $B. "I have heard $A.him {over the wall|in the hen house}." / Everyone {turned|looked}. $A's
  face {grew hot|went red}. "I cannot," $A.he said.
- $B had heard $A singing {by the river|through the window}. "{Choose $A|$A sings best of all}!" $B.he said. / "{No,
  no|Oh no}," said $A, {and $A.his knees shook|and turned red}.

- "{Try|Will you try}," said $T %softly. "{You can stop if you like|Only for me}." $A opened $A.his mouth. Out came {a
  squeak|a sound like a mouse}. Someone giggled, and $A ran {out|away}.
- $A tried. But {all those eyes|everyone was looking}! Not a {sound|note} came out. $A.he {ran home|ran out of the
  room} and {cried|hid}.

- $B {found|came after} $A.him. "{When you sing to the hens, what do you think of|Why can you sing at home}?" $B.he
  asked. / "{I think only of the song|I think of nothing but the song}," said $A. / "Then do that," said $B. "{And
  look only at me|And if you are afraid, look at me. I will be in the front}."
- "{I always shake too|My knees shake as well}," said $B, sitting down by $A. "Then I look for one friendly face.
  {Look at mine|You may use mine}."

- The {evening|day} of the $f came. {Lamps hung in the trees|The square was full of people}. $A {walked|stepped} out.
  $A.his hands were {cold|wet}. $A.he looked for $B, and there $B.he was, {smiling|nodding}.
- {At last|Then} it was $A's turn. So many {people|faces}! But in the {first|front} row sat $B, {pulling a funny
  face|with a big smile}. $A took a deep breath.

- $A thought of the {song|hens} and began. $A.his voice was {small|low} at first, but it grew. It {rose|flew} over the
  {roofs|heads of the people} like a {bird|lark}. {Nobody coughed|Even the babies were quiet}.
- The first note {shook|trembled}. The second was {better|stronger}. By the third $A had forgotten {everyone|that
  anyone was there}.

- When it was over there was {silence|not a sound}. Then {everyone clapped|the people clapped and stamped}. $B clapped
  {loudest|longest} of all.
- "{Again|More}!" the people %cried, and $A sang it {again|once more}. {Now $A.he was not afraid|This time $A.he
  looked at everyone}.
- {After that|From then on} $A sang {everywhere|at every feast}. But $A.he still sang to the hens. "{They were my
  first friends|They heard me first}," $A.he said.
""", A="child", B="child", T="teacher", P="home", f="feast|festival")


plot("The River in Flood|$A and the Flood|$A and the $b|The Night the River Rose", """
- %child The river ran {behind|past} the house, and all {summer|year} it was {quiet|gentle}. $A had a $b of $A.his
  own.
- %child $A.he had a {brown|white|little|spotted} $b, and {the two went everywhere together|$A.he fed it every day}.

- Then {the rains came|it began to rain}. It rained for {three|five|seven} days. The river {grew|rose} and turned
  {brown|grey}.
- That year it rained {and rained|as never before}. Day after day the river {came higher|climbed up its banks}.

- {One night|In the middle of the night} $A woke. There was water {on the floor|under the door}! "{Wake up|The river
  is coming in}!" $A cried. $G {jumped|got} out of bed.
- %night $A heard {a strange sound|water} {outside|in the yard}. $A.he looked out. The {yard|road} was a river! "$G!
  {Wake up|Get up}!" $A.he cried.

- They {took|grabbed} {the lamp and a bag of rice|what they could carry} and ran for the hill. Halfway {up|there} $A
  stopped. "The $b!" $A.he cried. "It is {tied up|shut} in the shed!"
- "{Up the hill|To high ground}, quick!" said $G. But $A {stood still|did not move}. "{What about|We must get} my $b?"
  $A.he said. "It is {shut|tied} in the shed."

- "{It is too dangerous|The water is too strong}," said $G. Just then the $b called out in the dark. {It was a small,
  sad sound|$A's heart hurt}. $A saw the {washing line|long rope} {by the door|on the wall}, and had {a thought|an
  idea}.
- $G shook $G.his head. "You cannot walk {in that|through that water}." $A {thought hard|looked about}. There on a
  {nail|hook} hung a long rope.

- "{Tie this|Put this rope} round me," said $A, "and {tie the other end|put the other end} round the tree. {Then I
  cannot be washed away|You can pull me back}." $G {tied the knots|did so}, and tied them {twice|well}.
- They tied one end to {a strong|the old} tree and the other round $G, who was {heavier|the bigger}. Then $A held on
  to $G, and they {waded|went} {through the water|in} together.

- The water {pulled|tugged} and {roared|hissed}. {Step by step|Slowly} they came to the shed. $A {cut|untied} the
  string, and the $b {came out|pushed close}, {wet|shaking} but alive.
- In the shed the water was as high as the $b's {chin|back}. $A {opened the door|lifted the latch} and took it {by the
  collar|by the neck}. "{I have you|Come}," $A.he whispered.

- Then, hand over hand {along the rope|on the rope}, they got back to {the hill|dry ground}. All night they sat {under
  a tree|by a fire} with the {people of the village|neighbours}, and the $b kept them warm.
- The rope held. {Wet and cold|Dripping}, all three of them climbed the hill. There {the neighbours|other people} had
  {lit a fire|made tea}.

- In the morning the rain stopped. The house was full of {mud|sand}, but {the walls stood|it was still there}. "{Mud
  can be washed away|We can wash the floor}," said $G. "{What matters is that we are all here|And nobody is missing}."
- {When|After} the water had gone, they {swept|washed} the house. $A {hung|put} the rope back on its nail, and $A.he
  {patted|stroked} it, as if it were alive {too|}.
- {Two|Three} days later the river was {quiet|small} again, as if nothing had happened. But $A and $G built the new
  shed on the hill.
""", A="child", G="elder", b="goat|calf|lamb|pony|piglet|donkey", P="home")


plot("Lost in the Forest|$A in the Forest|$A and the $B|The Way Home|$A Follows the $B", """
- %child Behind the house was a {big|deep} forest. "{Stay on the path|Never leave the path}," {$G always said|said
  $G}.
- %child $G sent $A.him to pick $m at the edge of the forest. "{Do not go in too deep|Stay near the path}," said $G.

- %day $A saw a $c butterfly. It flew {from flower to flower|in among the trees}, and $A ran after it. When it was
  gone, {the path was gone too|$A did not know where $A.he was}.
- The {best|biggest} $m were always a little {further on|deeper in}. $A picked {here and there|and picked}. When $A.he
  looked up, {all the trees looked the same|the path was nowhere to be seen}.

- $A {called|shouted}, but only {the echo|an owl} answered. {It grew dark|The shadows grew long}. $A.he sat down under
  a $r and began to cry.
- "{Which way is home|Where is the path}?" $A.he said. $A.he walked left. $A.he walked right. {Each time|In the end}
  $A.he came {back to|out by} the same old $r.

- Then something {moved|rustled}. A $B {looked out from|came out of} the {bushes|ferns}. Its {leg|foot} was caught in
  {a loop of wire|a tangle of string}. {It looked|It seemed} as {lost|frightened} as $A.
- Near the $r $A heard a small {cry|sound}. A $B lay there, {tangled|caught} in an old net.

- "{You poor thing|Hold still}," said $A, and {wiped|dried} $A.his eyes. With $A.his {teeth and fingers|fingers} $A.he
  {worked|pulled} at the knots until the $B was free.
- $A forgot $A.his own {trouble|tears}. $A.he {knelt|bent} down and {undid|untied} the knots, one {by one|after
  another}. "{There|Now you can go}," $A.he said.

- The $B did not {run|go} away. It went a few steps and looked back. It went {on|a few more steps} and looked back
  {again|once more}. "{Do you want me to follow|Shall I come with you}?" asked $A.
- Off went the $B. But it stopped {behind a tree|at the next tree} and {waited|looked at $A}. {When $A came near, it
  went on|Each time $A came closer, it went on a little}.

- They went over a {log|fallen tree}, through a {stream|little stream} and {round|past} a {rock|hill}. And {there,
  between the trees|at last}, $A saw a light. It was {the lamp in $G's window|$G's lamp}!
- So $A followed, {past the big stones|through the ferns} and over the {brook|stream}. {Soon|Then} $A smelled
  {smoke|wood smoke}. "{That is our fire|That is our chimney}!" $A.he cried.

- $G {came running|ran out} and {held $A tight|hugged $A}. "I {looked for you everywhere|was so worried}!" $G.he said.
  $A turned to thank the $B, but it {had gone|was gone}.
- "$G!" $A cried, and {ran|fell} into $G.his arms. $A told $G.him everything. "{You helped it|You found its way out},"
  said $G, "and it helped you."

- {From then on|After that} $A stayed on the path. But {in winter|now and then} $A.he {put|left} {an apple|a
  carrot|some bread} {under the old $r|at the edge of the forest}, and in the morning it was always gone.
- Sometimes, in the evening, a $B stands at the edge of the {trees|forest}. $A waves. {It always looks back once|Then
  it goes home, and so does $A}.
""", A="child", G="elder", B="young deer|little fox|young hare|small wild goat|badger", c="colour", r="tree",
     m="berries|mushrooms|nuts|blackberries|herbs", P="home")


plot("The Storm|$A and the Storm|The Lamp in the Window|The Light on the Hill|"
     "$A Keeps the Light", """
- $A's father was a {fisherman|sailor}. They lived {in a house on the cliff|in a small house by the sea}, and every
  night a lamp {burned|stood} in the window.
- %once, by the sea, there lived a $A.adj $A.b. $A.his father {went out|went fishing} every day in a boat called {the
  Gull|the Star}.

- "{Why do we light the lamp|What is the lamp for}?" $A once asked. / "So that {boats|those at sea} can find the way
  home," said $M.
- Every evening $M filled the lamp with oil and $A {lit it|put it in the window}. "{The sea is dark|It is for those at
  sea}," said $M.

- %day the sky turned {black|yellow and grey}. The wind {howled|roared}, and waves as high as {houses|trees} beat on
  the rocks. And the boat {was still out|had not come back}.
- {One autumn evening|One evening} a storm came {out of the west|up}. {Thunder rolled|Lightning split the sky}. The
  other boats came home, but not {the one $A was waiting for|their own}.

- Then the wind {broke the window|blew the window open} and the lamp went out. $M had {gone|run} down to the
  {harbour|beach}. $A was alone.
- $M {went|ran} down to the {beach|harbour} to look. {Just then|Hardly had $M.he gone when} a gust of wind {blew|came}
  in and put out the lamp.

- $A {tried to light it|struck a match}. The wind blew it out. $A.he {tried again|struck another}. It went out too.
  There were only {three|two} matches left.
- $A lit the lamp {again|once more}, but each time the wind {put it out|blew it out}. "{Think|Think, $A}," $A.he told
  {$A.self|no one but $A.self}.

- {On the shelf|By the door} stood {a big glass jar|a glass jar} of $j. $A {tipped|poured} it all out, {set|put} the
  lamp in the jar and lit the last match. The flame {shook|flickered}, and then it {stood up straight|burned}.
- $A's eye fell on a {big|great} jar of $j. $A.he {emptied it onto|shook it out on} the table. Inside the jar, {out of
  the wind|behind the glass}, the flame {burned|stood} still and bright.

- $A held the jar up to the {broken|open} window. $A.his arms {ached|hurt}. {But $A.he did not put it down|An hour
  went by, and then another}.
- All night $A {stood|sat} at the window with the light. {When $A.his eyes began to close, $A.he sang|$A.he sang to
  stay awake}.

- {At last|Then}, {far out|down} in the dark, there was a {shout|horn}. A boat came {round the rocks|in}. {They had
  seen the light|They were home}!
- {Towards morning|Near morning} the wind dropped. There were {steps|wet boots} at the door. "{We were lost|We could
  see nothing}," said a {deep|tired} voice, "until we saw one small light."

- $M {looked at|saw} the $j all over the table and {laughed and cried at once|said not one cross word}. {They had it
  for breakfast|Nobody minded}.
- And the jar? It {still stands|stands to this day} in that window, with the lamp inside it, {and no wind has ever put
  it out|on every stormy night}.
- "{You kept the light|You brought me home}," said $A's father, and {he gave $A his own cap|lifted $A up on his
  shoulders}.
""", A="child", M="parent2", P="home",
     j="beans|plum jam|honey|pickled onions|dried peas|salted fish|raisins|lentils")


plot("A Rainy Day|$A and $B on a Rainy Day|The Rain Ship|$A's $b|The Ship in the Kitchen", """
- It was raining. It had {rained all night|been raining since breakfast}, and $A {stood|sat} at the window with $A.his
  nose on the glass.
- Rain! Nothing but rain. $A and $B had wanted to {fly a kite|go to the river}, and now {the road was a puddle|they
  had to stay in}.
- It rained on the roof. It rained on the {hens|road}. "{Will it never stop|I am so bored}," said $A.

- "{There is nothing to do|What can we do}?" said $B. $A looked {round|about the room}. In the corner stood a big
  {box|basket}. "{That is not a box|What if it was not a basket}," $A.he said slowly. "{It is a ship|What if it is a
  ship}."
- $G put down {a big empty box|an old table} in the middle of the {room|kitchen}. "{It is only an old thing|I have no
  use for it}," $G.he said. $A {looked|stared} at it. "A ship!" $A.he cried.

- $B {fetched|brought} a broom for a mast and $A {hung|tied} a sheet on it for a sail. The $p was {the captain|made
  captain}.
- A {sheet|tablecloth} was the sail. Two {spoons|brooms} were the oars. The $p jumped in too, for a ship must have {a
  crew|a cat or a dog or something}.

- "{We are off|Pull up the anchor}!" %cried $A. The floor was the sea, and {the mat was an island|the chairs were
  rocks}. {Big waves rose|The wind blew}.
- They sailed past {the Stove|Table Island} and round {the Cape of Chairs|the great Cupboard}. "{Land|I see land}!"
  cried $B. It was {the mat|the rug}.

- {Suddenly|Then} there was a {drip|cold splash} on $B's {nose|head}. {A real one|It was real water}! The roof {was
  leaking|had a hole}, and {drop by drop|plip, plop} the rain came into the {kitchen|ship}.
- Plop! Something wet fell {on $A's hand|in the ship}. $A looked up. {Water|Rain} was coming through the roof, {right
  over $G's bed|right over the flour}!

- "{All hands to work|The ship is leaking}!" cried $A. $A.He {ran for|fetched} the bucket, and $B {brought|found} a
  {pot|bowl}. Plink, plonk, plunk! It was {almost a song|like music}.
- "{Sailors to the pumps|Sailors must bail}!" {shouted|cried} $A. They put {a bucket here and a pot there|pots under
  every drip}, and {when one was full they emptied it|ran to and fro}.

- $G came in and {looked up|saw it all}. "{If you had not seen it in time|Without you}, {everything would be wet|the
  flour would be spoiled}," $G.he said. "{Good sailors|I have a fine crew}!"
- "{Well done, sailors|Thank you, crew}," said $G, who came with {nails|a ladder}. And {when the rain stopped|that
  same evening} the hole was mended.

- Then all of them sat in the ship and ate $f. {Outside it was still raining|The rain drummed on}, but {nobody wanted
  it to stop|nobody on board minded}.
- For dinner the sailors had $f. Afterwards the sun came out. "{Shall we go out now|Do you want to go out}?" asked $B.
  / "In a {minute|while}," said $A. "{We are not home yet|First we must sail home}."
- That night in bed $A {heard|listened to} the rain. "{I hope it rains tomorrow|Good old rain}," $A.he thought, and
  {sailed off to sleep|fell asleep}.
""", A="child", B="child", G="elder", p="cat|dog|kitten|puppy", f="dish", b="Ship")


plot("$A and the $c Kite|The $c Kite|The Kite That Flew Away|$A's Kite", """
- %child $A.he wanted a kite {more than anything|so much}, but a kite costs money, and there was none.
- %child Every {spring|autumn} the {big|other} children flew kites on the hill. $A had none.

- So $A made one. $A.he took two {bamboo sticks|thin sticks}, {some|a sheet of} $c paper and {a pot of glue|paste made
  of flour}. $G gave $A.him a {long|ball of} string. The tail was {an old ribbon|made of rags}.
- "Then we shall make one," said $G. They {cut|split} a cane, {pasted|glued} $c paper over it and tied on a tail {of
  rags|of ribbons}. It took {all day|two evenings}.

- {Next day|The next day} $A ran up the hill. But the kite {flopped|fell} to the ground. "{Ha|Look at that}!" laughed
  the {big|other} children. "{It is too heavy|It is a lame duck}!"
- $A ran and ran, but the kite {bumped along behind|only hopped like a hen}. Somebody {laughed|giggled}. $A went
  {red|hot} in the face.

- $A {went|came} home {with it under $A.his arm|slowly}. "It will not fly," $A.he said. / $G {held it up|looked it
  over}. "{The tail is too short|It needs a longer tail}," $G.he said. "{Try again|A kite without a tail is like a
  boat without a rudder}."
- $A did not {give up|cry}. $A.he {made the tail longer|added three more ribbons to the tail} and {tried|waited for a
  good wind}.

- {This time|Now} the wind took it. Up it went, over the {roofs|trees}, {higher than all the others|up and up}! The
  string {hummed|sang} in $A's hand.
- The wind {blew|pulled}, and the kite {rose|shot up} like a {bird|lark}. It {danced|swam} in the blue. {Nobody
  laughed now|Everyone looked up}.

- {Then -- snap|Snap}! The string broke. The $c kite {sailed away|flew off} over the {river|valley} and grew smaller
  and smaller. $A ran after it {until $A.he could run no more|with tears in $A.his eyes}.
- But the string was old. It {broke|snapped}, and {away went the kite|the kite was gone}, across the fields. $A
  {stood|was left} with the end of the string in $A.his hand.

- {In the next village|Across the river} there lived a $B.k called $B, who had {been ill|hurt $B.his leg} and had to
  {lie in bed|stay in bed} by the window. And down came the kite, {right into $B's garden|into the tree by the
  window}.
- The next day $A went {to look|across the river}, asking at every {house|door}. At the last house a $B.k sat {in
  bed|in a chair} by the window. $B.his name was $B, and $B.he had {a broken leg|been ill all winter}. Over $B.his bed
  hung the $c kite!

- "{It came to me out of the sky|It fell out of the sky}," $B told $A {when they met|}. "{It is the best thing that
  has happened all year|I was so lonely, and it came}." $A {opened|had opened} $A.his mouth to say, "It is mine." But
  $A.he did not say it.
- "{Look what the wind brought me|See what came to my window}!" said $B, {when $A came to the door|with shining eyes}.
  $A looked at the kite. $A.he looked at $B's {pale|thin} face. "{It is a fine kite|It flies very well}," said $A.
  "{It needs a new string. I will bring you one|I will show you how, when you can walk}."

- When $B {was well|could walk again}, they flew it together {on the hill|every day}, and {sometimes $A held the
  string and sometimes $B|they took turns}.
- $A had lost a kite and found a friend. {And a kite can be shared|And in spring two kites flew over the hill, side by
  side}.
- Only much later did $B {find out|learn} who had made the kite. "{Why did you not say so|You never told me}!" $B.he
  said. $A only {smiled|laughed}.
""", A="child", B="child", G="elder", c="colour", P="home")


plot("$G's $d|$A Cooks|The Secret in the $d|What Was Missing in the $d?", """
- {Nobody made|No one could cook} $d like $G. {People came from far to taste it|The whole street could smell it}.
- %child $A.his $G.k made the best $d in the {world|whole country}.
- On {feast days|Sundays} $G made $d, and $A always {licked the spoon|ate two bowls of it}.

- %day $G fell ill and {lay|stayed} in bed. "I {would love|wish I had} some $d," $G.he said {in a thin voice|weakly}.
  "{I will make it for you|I will cook it}," said $A.
- {Then|But} one winter $G was ill. {$G.he did not want to eat|Nothing tasted good to $G.him}. "{I will make $G some
  $d|I know what will help}," said $A.

- $A put in {everything|all} that $A.he had seen $G put in. $A.he {stirred|mixed} and {tasted|tried it}. It was {not
  right|not the same}. Something was missing!
- $A {lit the fire|tied on an apron} and set to work. $A.he did {it all just as $G did|everything just so}. Yet when
  $A.he tasted it, {it was not the same|something was missing}.

- $A went {to|over to} $W. "What {does $G put|goes} in the $d?" $A.he asked. / "{A pinch of $s|Some $s, I think},"
  said $W, and gave $A.him {some|a little}. $A {put it in|tried it}. {Better, but still not right|It was good, but it
  was not $G's $d}.
- "{Perhaps|It may be} it needs $s," said $W {from next door|when $A asked}, and {brought|gave $A.him} some. $A {put
  it in|added it} and tasted. It was nearly right. Only nearly.

- $A {added|tried} {salt|a little salt}. $A.he {added|tried} {sugar|a little sugar}. {In the end|At last} $A.he sat
  down on the {floor|step} and {sighed|was %sad}. "{I cannot do it|It will never be right}," $A.he said. / {Then $A
  remembered something.|But what was it that $G always did?} $G always sang when $G.he cooked! {A slow, happy song|The
  song about the {moon|little boat}}. So $A {stood up|went back}, stirred, and sang that song, {all five verses|from
  beginning to end}.
- $A could not think of anything else. {With a heavy heart|Sadly} $A.he filled a bowl and took it to $G. "It is not
  {right|like yours}," $A.he said. / "{What did you do while it cooked|Did you sing}?" {whispered|asked} $G. / "{I
  only worried|No}," said $A. / "{Then put it back on the fire|Aha! Go back}," said $G, "and sing to it. {Good $d
  cannot be hurried|It needs time, and a song is just long enough}." And $A {did|sang}.

- By the end of the song {the whole house smelled of it|it was thick and soft}. $A tasted it. {It was right|Now it was
  right}!
- And {do you know|what do you think}? When the song was {over|done}, the $d was {perfect|just as it should be}. It
  had only wanted {a little more time|time}.

- $G ate {one bowl|a whole bowl} and asked for {another|more}. {The colour came back to $G.his face|In two days $G.he
  was up again}. "{Now you know my secret|Now there are two of us who can make it}," $G.he said.
- $G {tasted|took a spoonful} and shut $G.his eyes. "{That is it|Yes}," $G.he said. "Now I can get well." And $G.he
  did.

? Today $A is {grown up|a cook}, and {children|people} come to eat it on {feast days|cold days}. "What is in it?" they
  ask. / "{Sing with me|A song}," says $A, "{and you will find out|that is all}."
? $A wrote it all down in a {little|red} book: so much of this, so much of that, and at the bottom: one song.
""", A="child", G="granny", W="worker", d="stew", s="ginger|cinnamon|mint|pepper|garlic|nutmeg|saffron|thyme",
     P="home")


plot("$A at the Market|$A and the $n $f.b|The $f Seller|$A Goes to Market|"
     "The Price of a Coat", """
- %child One {morning|market day} $M said, "{Take these $f.b to the market|Go and sell our $f.b}, and buy {a warm
  coat|a coat} for the winter."
- It was market day. $M gave $A a basket of $f.b. "Sell them," said $M, "and {with the money buy yourself a coat|buy
  yourself a warm coat. Winter is near}."

- $A {set off|went off} {with the basket on $A.his head|down the road}. There were {$n|just $n} $f.b in it,
  {ripe|fresh} and {fine|sweet}. On the way $A.he met an old {woman|man} {who sat by the road|with a stick}. "{I have
  eaten nothing today|I am so hungry}," the old one said.
- The road was long. Near $s sat a {small|thin} child who {was crying|had not eaten}. "{Will you give me a $f|I am
  hungry}," said the child.

- $A {counted|looked at} the $f.b. "{One will not matter|I have enough}," $A.he thought, and gave {one|a $f} away.
  {The tired eyes shone|Never did anyone thank $A.him so much}.
- $A thought of the coat. Then $A.he thought of {an empty stomach|being hungry}, and {held out a $f|gave the best $f
  of all}.

- A little further on $A met {a boy with a goat|a woman with a baby}, and {they too|these} {had nothing to eat|were
  hungry}. So {another $f went|two more went}. And at the {bridge|crossroads} sat {a blind fiddler|a tired soldier}.
  He got one too.
- And so it went on. {A $f for a beggar|A $f for a blind man}, {a $f for a sick donkey|a $f for a lame girl}. {Each
  time the basket grew lighter|The basket got lighter and lighter}.

- When $A came to the market, there was just one $f left. "{One $f will not buy a coat|What will $M say}?" $A.he
  thought, and {sat down by the wall|hung $A.his head}. A cold wind blew.
- At last $A {reached|was at} the market and looked in the basket. {One $f|Only one $f}! {Nobody|No one} would give a
  coat for that. $A {sat|waited} all day in the cold.

- Then {the fiddler|a fiddler} {came by|began to play} and people gathered round. "{This $A.k|That $A.k}," he told
  them, "{gave me food when I had none|fed half the road today and kept nothing}."
- {In the evening|Late in the day} the old {weaver|tailor} woman {stopped|came by}. "{You are the one who gave away
  your $f.b|I heard about you on the road}," she said. "{Everyone is talking about it|People talk}."

- $W, who {was listening|stood near}, {came over|nodded}. "{I will buy your last $f|Sell me that $f}," said $W, "{and
  I pay with this|and this is what I will pay}." It was a {thick|warm} $c coat!
- "{What does your last $f cost|How much for that one}?" asked $W. / "{A coat|As much as a coat}," said $A, and {tried
  to smile|it was meant as a joke}. / "{Done|Good}!" said $W, and {put|laid} a $c coat round $A's shoulders.

- $A ran home {warm as toast|through the cold} in $A.his $c coat. "{So you sold them all|Did you get a good price}?"
  asked $M. / "{Only one|I sold one}," said $A. "{But for a very good price|But I sold it well}."
- "{How many did you sell|How did you pay for this}?" asked $M that night. $A told the whole story. $M {said
  nothing|wiped $M.his eyes} and {hugged $A.him|gave $A.him the biggest bowl of soup}.
""", A="child", M="parent", W="worker", f="fruit", n="ten|twelve|nine|eight", s="spot", c="colour", P="home")


plot("A Gift for $G|$A's Gift|The Best Gift|What $A Gave $G", """
- {Tomorrow|On Sunday} was $G's birthday, and $A had {no gift|nothing to give $G.him}. $A.he had {no money either|only
  two small coins}.
- %child $G would be seventy {tomorrow|the next day}. {Everyone had a present for $G.him|All had a gift ready}, but $A
  had nothing.

- "{What would you like|What do you wish for most}?" $A had asked. / "{Oh, nothing|I have all I need}," said $G.
  "{Only|But} I {would like|wish} {to hear|I could hear} {the sea|my old river} once more. {It is too far for my
  legs|My legs are too tired for that}."
- $G {was born|had grown up} in a {house|village} by the sea, far away. "{I still hear it in my dreams|How I miss the
  sound of it}," $G.he often said. {But $G.his legs were too old for the journey|But it was too far to walk}.

- $A thought {all day|and thought}. {You cannot carry the sea in a bag|How can you give someone the sea}? $A.he went
  to $W. "{You go everywhere|You know many things}," said $A. "{How can I bring the sea home|Where does one buy the
  sound of the sea}?"
- $A {went|ran} to $W, who {had travelled|had once been a sailor's friend}. "{Please|Tell me}, how can I give $G the
  sea?"

- $W {scratched $W.his head|thought}, and then {went|reached} into a {box|drawer}. "{Take this|I kept this for
  years}," $W.he said. It was a {big|pink|white} shell. "{But you must do something for me|It costs a day's work}."
- "{Hm|That is not easy}," said $W. "But I have {a shell|an old shell}. {Sweep my floor|Help me today} and {it is
  yours|you shall have it}."

- So $A {swept and carried|worked} until the sun went down. $A.his {arms|hands} {hurt|were sore}, but {at last|in the
  evening} the shell was in $A.his hands.
- $A {fetched water|chopped wood}, {swept the floor|washed the pots} and {stacked|carried} {boxes|baskets}, and {did
  not stop once|never once complained}. {In the evening $W gave $A.him the shell|And the shell was $A's}.

- On the birthday {everybody|they all} came with {scarves and cakes|big boxes}. $A {waited till the last|came last}.
  "{Shut your eyes|Close your eyes}," $A.he said, and {held|put} the shell to $G's ear.
- In the morning there were {cakes|flowers} and a new {shawl|chair}. $A gave $A.his gift last. {It was wrapped in a
  leaf|It was wrapped in an old cloth}. "{Do not look. Listen|It is not for the eyes}," said $A. "{It is for the
  ears|Hold it to your ear}."

- $G {listened|sat quite still}. {A tear ran down $G.his cheek|Slowly a smile came}. "{That is my sea|I can hear it},"
  $G.he whispered. "{That is my beach, and my mother is calling me|I can hear the waves}."
- For a long time $G said nothing. "{There it is|The waves}," $G.he said {at last|then}. "{I am seven years old
  again|I am a child again}."

- Every evening since then $G {takes|has taken} the shell from the {shelf|table} and listens. {Sometimes $A listens
  too|Then $G tells $A of boats and storms}.
- The shawls {went into the cupboard|wore out} and the cakes were eaten. But the shell {lies by $G's bed|is there} to
  this day.
""", A="child", G="elder", W="worker", P="inland")


plot("The Stray $B.k|$A and the Stray $B.k|A Home for $N|$N|$A Finds $N", """
- %rain, and by $s sat a {thin|wet|small} $B.k. {It belonged to nobody|It had no home}.
- %day $A found a $B.k near $s. It was {thin|dirty} and {wet|hungry}, and one ear was torn.
- A $B.k {followed|ran after} $A home from $s. When $A stopped, it stopped. When $A {went on|walked}, it {went
  on|walked} too.

- "{Whose are you|Where do you come from}?" %asked $A. The $B.k only $B.cry. $A gave it {a bit of bread|half of $A.his
  lunch}, and it {licked $A.his hand|ate every crumb}. "{I shall call you $N|Your name is $N}," said $A.
- $A {sat down|knelt} beside it and {shared $A.his bread|gave it some bread}. {It ate and ate|It was gone in a
  moment}. "{You look like a $N|I will call you $N}," said $A.

- $A {took $N home|carried $N home}. "{No|No, no}," said $M. "{We have no room|It will bring dirt into the house}. {It
  must go in the morning|It may stay one night, not more}."
- But $M {shook $M.his head|put $M.his hands on $M.his hips}. "{We have enough mouths to feed|We cannot keep it},"
  said $M. "{Tomorrow it must go|One night in the shed, then it goes}."

- $A made {a bed of straw|a bed out of an old coat} in the shed. "{Be good|Please be good}," $A.he whispered. $N {lay
  down|curled up} and {sighed|shut one eye}.
- That {night|evening} $A could not sleep. {Neither could $N|In the shed $N was awake too}.

- In the {night|middle of the night} there was {a great noise|such a noise} in the yard. $N $B.cry and $B.cry
  {again|without stopping}. {Everyone woke|$M jumped out of bed}. "{That animal|There, you see}!" said $M.
- $M was {just asleep|dreaming} when $N began. It {jumped at the door|scratched at the wall} and $B.cry. "{What
  now|Can nobody sleep in this house}?" said $M {crossly|and got up}.

- But when $M {opened the door|went out}, $v.
- They {ran|went} out with a lamp. {What did they see|And there it was}? $v.

- {$M said nothing for a moment|$M looked at $N for a long time}. "{Good $B.k|Clever thing}," {$M.he said|said $M}
  then. "{If $N had not been here, $v.b|Without $N $v.b}."
- "{$N saved us|$N was trying to tell us}!" %cried $A. "{Without $N $v.b|If $N had not called, $v.b}!" / "{So $N
  did|That is true}," said $M {slowly|%softly}.

- "{May $N stay|Can we keep $N now}?" %asked $A. / $M {went in|did not answer} and {came back with|fetched} a bowl of
  {warm milk|scraps}. {That was the answer|"One more mouth," $M.he said. "What is one more mouth?"}
- In the morning $M {put|set} a {bowl|dish} by the stove. {On it was written: $N|Nobody said anything about going
  away}.
- And so $N {stayed|came to stay}. {These days $N sleeps on $M's feet|Now $N has the best place by the fire}.
""", A="child", M="parent", B="stray", N="Patch|Button|Rags|Lucky|Moon|Socks|Crumb|Shadow|Ginger", s="spot",
     P="home", v="a fox was slinking away from the hen house~we would have no hens left|"
       "smoke was coming from the kitchen~the house would have burned down|"
       "the gate stood open and the cow was halfway down the road~we would have lost the cow|"
       "water was pouring out of the broken tank~the seed corn would have been spoiled")
