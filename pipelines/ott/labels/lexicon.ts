/** The labels a search can have, and what stands where none fits. */
export const CATEGORIES = [
  'Action',
  'Romance',
  'Comedy',
  'Horror',
  'Animation',
  'Drama',
  'C Drama',
  'K Drama',
  'Sports',
  'Music',
  'Reality Show',
  'TV Channel',
  'News',
  'Other',
] as const

export type Category = (typeof CATEGORIES)[number]

/**
 * Words and names that speak for a category, without accents and in lower case: `3` decides almost alone (a channel, a team, a title), `2` is strong,
 * `1` is a hint. General knowledge of television in Vietnam, not a list of searches.
 */
export const LEXICON: Readonly<Record<Exclude<Category, 'Other'>, readonly Terms[]>> = {
  'TV Channel': [
    terms(
      3,
      'kenh truyen hinh, dai truyen hinh, kenh, truyen hinh, vinh long, thvl, thvl1, thvl2, today tv, baby tv, zing tv, fpt play, netflix, hbo, cinemax, cartoon network, disney channel, discovery, animal planet, national geographic, nat geo, box movie, axn, fox movies, star movies, channel, an ninh tv, antv, quoc phong, nhan dan tv, quoc hoi tv, let viet, vov, onlive, danet, vebo, vebotv, vieon, tv360, fox sport, fox, mbc, sbs, jtbc, ktv, kbs, xoilac tv, ftv, k plus, showtime, mtv',
    ),
    terms(2, 'tv, song truc tiep, xem tv, tivi'),
  ],
  Sports: [
    terms(
      3,
      'bong da, da bong, da banh, the thao, tran dau, truc tiep bong, u16, u17, u18, u19, u20, u21, u22, u23, world cup, worldcup, euro 2020, euro 2024, aff, afc, uefa, fifa, sea games, seagames, seagame, v league, vleague, premier league, ngoai hang anh, la liga, laliga, serie a, bundesliga, ligue 1, champions league, cup c1, cup c2, copa america, asian cup, giao huu, vong loai, tu ket, ban ket, chung ket, highlight, highlights, real madrid, barcelona, barca, manchester, man city, man utd, liverpool, chelsea, arsenal, tottenham, juventus, bayern, psg, inter milan, ac milan, as roma, ajax, hagl, hoang anh gia lai, ha noi fc, viettel fc, nam dinh fc, fc, ronaldo, messi, neymar, park hang seo, cong phuong, quang hai, nba, bong ro, bong chuyen, bong ban, cau long, tennis, quan vot, nadal, federer, djokovic, ufc, mma, boxing, quyen anh, wwe, vo dai, dua xe, cong thuc 1, formula 1, moto gp, f1, olympic, dien kinh, cu ta, billiards, bi a, golf, futsal, san co, wimbledon, roland garros, next sport, on sport, sport, sports, judo, slam, garena, lien quan, tour de france, finalissima, angiang fc, dtvn, manutd, rooney, batistuta, maradona, pele, doi 23, tuyen thu, vo dich, chuyen nhuong, xoilac, xoi lac, tay dua',
    ),
    terms(
      2,
      'mu, football, soccer, trong tai, khan dai, hiep phu, phut bu gio, huan luyen vien, tran bong, qua bong, cau thu, vua pha luoi, sut, lien luc dia, truc tiep, doi tuyen, tuyen viet nam, vs, cup, lich thi dau, ty so, viet nam thai lan, malaysia, indonesia, myanmar, uzbekistan, australia, iraq, brunei, tay ban nha, bo dao nha, mong co, yemen, a rap xe ut, xem lai, jordan, chau a, lao',
    ),
    terms(1, 'thai lan, campuchia, han quoc, nhat ban, dau, thang, san, hom nay, viet nam'),
  ],
  News: [
    terms(
      3,
      'thoi su, tin tuc, ban tin, chuyen dong 24h, du bao thoi tiet, thoi tiet, news, bao chi, an ninh trat tu, phap luat va doi song, hop bao, quoc hoi, dai hoi dang, bau cu, ukraina, ukraine, putin, covid, corona, kinh te, chung khoan, gia vang, gia xang, xo so, xsmb, xsmn, chao buoi sang, the gioi 24h, 60 giay, chuyen dong',
    ),
    terms(2, 'tin, bien dong, chien su, chinh phu, thu tuong, chu tich nuoc'),
  ],
  Music: [
    terms(
      3,
      'nhac, karaoke, ca nhac, bai hat, ca khuc, lien khuc, remix, lyrics, lyric, ca si, bolero, tru tinh, nhac vang, nhac tre, cai luong, vong co, tan co, dan ca, quan ho, ho quang, nhac song, nhac san, nhac do, nonstop, vinahouse, lofi, lo fi, edm, rap, music, song, songs, album, concert, liveshow, live show, mv, beat, acoustic, piano, guitar, ost, soundtrack, son tung, my tam, dam vinh hung, le quyen, nhu quynh, che linh, dan nguyen, quang le, phi nhung, manh quynh, cam ly, tuan vu, huong lan, ngoc son, truong vu, duy khanh, khanh ly, trinh cong son, bich phuong, jack, k icm, hoang thuy linh, duc phuc, erik, min, den vau, hoa minzy, noo phuoc thinh, dong nhi, ho ngoc ha, thuy chi, ha anh tuan, tung duong, trong tan, anh tho, thanh tuyen, quang linh, dan truong, lam truong, phuong thanh, lam chan huy, khac viet, khoi my, khanh phuong, ho quang hieu, chau khai phong, karik, bts, blackpink, twice, exo, big bang, red velvet, itzy, aespa, taylor swift, justin bieber, ed sheeran, modern talking, westlife, boney m, abba, michael jackson, mozart, beethoven, tuyet dinh song ca, thanh ngan, kim tu long, minh canh, le thuy, vu linh, chu dai bi, thanh ca',
    ),
    terms(
      2,
      'khuc, tinh ca, song ca, hoa tau, vi cam, giai dieu, tieng hat, hat, dance, bai ca, xam, ru',
    ),
  ],
  'Reality Show': [
    terms(
      3,
      'running man, runningman, 2 ngay 1 dem, hai ngay mot dem, rap viet, the voice, giong hat viet, giong ai giong ai, masterchef, vua dau bep, got talent, gotalent, x factor, idol, than tuong am nhac, next top model, top model, the face, hoa hau, ban muon hen ho, hen ho, nguoi ay la ai, sieu tri tue, nhanh nhu chop, ai la trieu phu, duong len dinh olympia, chiec non ky dieu, gameshow, game show, tv show, tvshow, show, bo oi minh di dau the, ky uc vui ve, on gioi cau day roi, ca si mat na, masked singer, mat na bi an, street dance, street woman fighter, street man fighter, so you think you can dance, queendom, kingdom mnet, produce 101, produce x 101, produce 48, girls planet, sang tao doanh, thanh xuan co ban, luat rung xanh, law of jungle, knowing brother, new journey to the west, return of superman, sao nhap ngu, sao dai chien, vo lam truyen ky show, cuoc dua ky thu, amazing race, survivor, single inferno, dia nguc doc than, love island, bachelor, hells kitchen, hell s kitchen, keep running, hello counselor, thuc te, truyen hinh thuc te, trai nghiem, bung no tiet muc, thach thuc danh hai, cuoi xuyen viet, gap nhau cuoi tuan, hat viet, chay di cho chi, nha hang trung hoa, sixth sense, giac quan thu sau, catchphrase, jimmy fallon, busted',
    ),
    terms(
      2,
      'fighter, mua giai, thu thach, giai dau, dau truong, tim kiem tai nang, nguoi mau, am thuc, nau an, dau bep, mon ngon, cuoc thi, giai tri, dance',
    ),
  ],
  Animation: [
    terms(
      3,
      'hoat hinh, anime, doraemon, doremon, nobita, stand by me, conan, tham tu lung danh, naruto, boruto, one piece, dao hai tac, vua hai tac, dragon ball, 7 vien ngoc rong, bay vien ngoc rong, ngoc rong, songoku, pokemon, digimon, sakura, thuy thu mat trang, sailor moon, shin cau be but chi, cau be but chi, shin chan, shin, inuyasha, bleach, fairy tail, hoi phap su, attack on titan, guom diet quy, luoi guom diet, thanh guom diet quy, kimetsu, demon slayer, jujutsu kaisen, chu thuat hoi chien, my hero academia, hoc vien anh hung, boku no hero, tokyo revengers, sword art online, hunter x hunter, fullmetal, gia kim thuat, death note, one punch man, haikyuu, kuroko, slam dunk, jojo, black clover, spy x family, re zero, slime, chuyen sinh, isekai, konosuba, overlord, date a live, no game no life, fate, high school dxd, dr stone, kaguya, tokyo ghoul, nanatsu, that hinh dai toi, yugioh, yu gi oh, beyblade, bakugan, gundam, inazuma, aikatsu, precure, pretty cure, lego, ninjago, tom va jerry, tom and jerry, mickey, donald, disney, pixar, dreamworks, frozen, nu hoang bang gia, elsa, moana, coco, zootopia, minions, minion, despicable, shrek, kung fu panda, madagascar, ice age, toy story, cars, how to train your dragon, bi kip luyen rong, vua su tu, lion king, nguoi ca, rapunzel, cinderella, lo lem, bach tuyet, nang tien ca, winx, nhung nang tien, barbie, my little pony, peppa pig, paw patrol, doi cuu ho, oggy, spongebob, bot bien, ben 10, gumball, adventure time, teen titans, scooby doo, looney tunes, larva, pororo, tayo, robocar, robocar poli, thomas, pucca, masha, gau va be, boonie bears, gau boonie, chu gau, cuu vui ve, soi xam, tobot, transformers, ninja rua, avatar aang, howl, totoro, vo sac gia, spirited away, ghibli, violet evergarden, your name, sonic, angry birds, smurfs, xi trum, upin, hello kitty, babybus, blippi, cocomelon, wolfoo, dong ho yeu quai, yo kai, chibi, maruko, crayon, keroro, ky sinh thu, mushishi, balala, tieu ma tien, evangelion, natra, aladin, pink panther, family guy, rick and morty, chainsaw man, boss baby, turning red, mulan, teletubbies, vinland saga, tower of god, castlevania, noblesse, kamisama, kobayashi, umaru, horimiya, oddbods, 12 con giap, con giap, dong dat, mashle, blue lock, given, orange, free, toradora, clannad, bungou, dorohedoro, gintama, d gray man, katekyo, reborn, detective conan, kaito kid, ranma, yaiba, sing 2, luca, soul, encanto, inside out, ratatouille, big hero 6, hotel transylvania, trolls, rio, dau pha thuong khung, thon phe tinh khong, vo dong can khon, tinh than bien, tien nghich, pham nhan tu tien, than an vuong toa, the cong',
    ),
    terms(
      2,
      'season 2, season 3, ma vuong, phap su, sieu anh hung nhi, cong chua, co tich, di gioi, kun, movie, and friends, phieu luu, thu cung, chu cho, khung long, hoc vien, be, quai thu, hiep si, kiem than vuc, dao kiem',
    ),
    terms(
      1,
      'season 1, phan 2, tieu, meo, cho, gau, ga con, no, lop hoc, vung dat, chan, online, hero',
    ),
  ],
  'K Drama': [
    terms(
      3,
      'han quoc, phim han, phim bo han, korea, vuon sao bang, boys over flowers han, hau due mat troi, ha canh noi anh, penthouse, cuoc chien thuong luu, squid game, tro choi con muc, itaewon, tang lop itaewon, vincenzo, true beauty, hospital playlist, chuyen doi bac si, reply 1988, hoi dap 1988, goblin, yeu tinh, gumiho, ho ly chin duoi, nu luat su ky la, woo young woo, nguoi thua ke, thu ky kim, start up, khoi nghiep, our blues, twenty five twenty one, tuoi 25 tuoi 21, business proposal, hen ho chon cong so, khi nang say giac, strong woman, nang manh me, moon lovers, nguoi tinh anh trang, jewel in the palace, nang dae jang geum, dae jang geum, jumong, truyen thuyet dam, ban trai toi la ho ly, kingdom, sweet home, all of us are dead, ngoi truong xac song, alchemy of souls, hoan hon, doctor stranger, doctor john, y duc, nguoi ha, bac si lang man, romantic doctor, taxi driver, tai xe an danh, mouse, flower of evil, hoa cua quy, hotel del luna, khach san anh trang, mine, signal, sky castle, lau dai tham vong, the world of the married, the gioi hon nhan, lie to me, full house, ngoi nha hanh phuc, ban tinh ca mua dong, giay thuy tinh, ky sinh trung, parasite, park seo joon, lee min ho, song hye kyo, song joong ki, hyun bin, ji chang wook, kim soo hyun, lee jong suk, gong yoo, park shin hye, park min young, son ye jin, kim go eun, lee dong wook, seo, joon, woo, yoon, jung, hyun, soo, kyung, oh soo jae, tomorrow, snowdrop, heirs, school 2015, school 2017, school 2020, red sleeve, co tay ao do, hwang, arthdal, welcome to waikiki, khu rung bi mat, chung ta dang chia tay, may hoa anh trang, nac thang len thien duong, nhat ky giai phong, nguoi den tu vi sao, vi sao dua anh toi, tuoi 39, dr romantic, hi bye mama, while you were sleeping, when the camellia blooms, dieu cha cha cha lang bien, hometown cha cha cha, cha cha cha, lets eat, loi hoi dap, ve dep dich thuc, racket boys, sisyphus, rookie cops, forecasting love, the king, bao thu thuyet minh, doctor lawyer, bac si yo han, link eat love, tracer, military prosecutor, yumi s cells, eve, jinxed, jirisan, hellbound, juvenile justice, the silent sea, voice, tunnel, kairos, rugal, memorist, extracurricular, shopaholic louis, descendants of the sun, crash landing, secret garden, city hunter, pinocchio, healer, w two worlds, oh my venus, oh my ghost, co nang cu ta, tien nu cu ta, ngon gio dong nam, gia dinh la so mot, gia dinh la so 1, luat su, tham phan, cong to vien, joseon, hwarang, to vien, bac sy',
    ),
    terms(
      2,
      'lee, kim, park, jang, choi, kang, shin min, hoang hau, trang han, su ky, nu hoang, quy co, thuong luu, bao thu han, mat na, y su, cong so, yumi, eun, ji, jin, bae',
    ),
    terms(1, 'ban cung, co nang, chang hau, phap y, anh trang, thien than, ke'),
  ],
  'C Drama': [
    terms(
      3,
      'trung quoc, phim trung, hoa ngu, co trang, kiem hiep, tien hiep, xuyen khong, ngon tinh, cung dau, hau cung, hoang hau, hoang de, vuong gia, vuong phi, quy phi, thai tu, thai hau, thai giam, cong chua dai duong, hoan chau cach cach, tay du ky, tam quoc, thuy hu, hong lau mong, phong than, bao thanh thien, bao cong, te cong, dich nhan kiet, kim dung, anh hung xa dieu, than dieu dai hiep, y thien do long, thien long bat bo, tieu ngao giang ho, loc dinh ky, co long, so luu huong, luc tieu phung, chan hoan truyen, nhu y truyen, nhu y, vo tac thien, my nguyet, dien hi cong luoc, tam sinh tam the, thap ly dao hoa, tran tinh lenh, hoa thien cot, tru tien, dau la dai luc, dau pha, khanh du nien, tuong da, lang gia bang, ho yeu tieu hong nuong, trieu le dinh, trieu lo tu, duong mich, dich le nhiet ba, luu diec phi, tieu chien, vuong nhat bac, vuong hac de, la van hi, thanh nghi, hua khai, hua khai trong tan, ly hien, ly dich phong, duong tu, cuc tinh y, dang luan, trinh sang, bach loc, ngo loi, truong ba chi, luu duc hoa, thanh long, chau tinh tri, chan tu dan, ly lien kiet, ly tieu long, tvb, hong kong, dai loan, tong tai, truyen ky, truyen thuyet, truyen thuyet bach xa, bach xa, thanh xa, tien kiem, thien ha, giang ho, vo lam, tu tien, tong giam doc, thien kim, nuong tu, tuong quan, tieu nuong tu, phi tan, cam y ve, de tu, than y, nguyet, khuynh thanh, khuynh the, lieu, phu nhan, phuong hoang, phuong, hoa gian, cuu chau, trach thien ky, tuyet, chau sinh nhu co, nhat sinh nhat the, han thien ca, an lac truyen, tinh han xan lan, mong hoa luc, nghich thien ky an, lac duong, truong an, ky an, ha tien sinh, van tich, thuong hoi, trung hoa, dai minh, dai tong, dai duong, dai tan, thanh trieu',
    ),
    terms(
      2,
      'y, tieu, thien, vuong, phung, lam, mong, tinh ha, huyen, kiem, linh, hoa, nhat, van, thanh, thuong, lac, tam, nhi, tu, dao, ngoc, luu ly, cung, tien, quoc, ngu, son ha, mat ngot, doc, nuong, hy, khoi, trieu, yen, tran, la',
    ),
    terms(1, 'xin chao, gap, thieu nien, anh hung, tan, be ha, su phu, dien ha, muoi'),
  ],
  Horror: [
    terms(
      3,
      'kinh di, ma quai, phim ma, ma am, ma ca rong, xac song, zombie, zombies, quy am, quy du, bup be, annabelle, conjuring, am anh kinh hoang, insidious, the nun, it chapter, chu he, ghost, horror, cuong thi, ac quy, tu than, final destination, xac uop, xac chet, loi nguyen, con ma, oan hon, linh hon ac, busan, train to busan, chuyen tau sinh tu, saw, luoi cua, the ring, vong tron oan nghiet, grudge, evil dead, resident evil, walking dead, alien, quai vat, thay ma, nghia dia, am hon, hon ma, nha ma, co hon, thien linh cai, pee mak, chuyen ma, ky an ma, us, get out, hannibal, jigsaw, chucky, dracula, vampire, scream, tieng thet, ma nu, than trung, thuy quai, rung ron, am binh, vong hon, bi an ma, san ma, ngai',
    ),
    terms(2, 'ma, quy, mau, xac, hon, nguyen rua, bong toi, dia nguc, chet choc, am'),
  ],
  Action: [
    terms(
      3,
      'hanh dong, vo thuat, sat thu, diep vien, mat vu, dac vu, 007, james bond, mission impossible, nhiem vu bat kha thi, phi vu, fast furious, fast and furious, qua nhanh qua nguy hiem, sieu anh hung, sieu nhan, avengers, biet doi, marvel, iron man, nguoi sat, spider man, spiderman, nguoi nhen, batman, nguoi doi, superman, thor, captain america, doctor strange, black panther, black widow, venom, deadpool, x men, xmen, wolverine, aquaman, wonder woman, justice league, lien minh cong ly, suicide squad, eternals, shang chi, moon knight, loki, hulk, ant man, guardians, john wick, rambo, terminator, ke huy diet, matrix, ma tran, mad max, godzilla, kong, king kong, pacific rim, jurassic, cong vien ky jura, khung long bao chua, the rock, dwayne johnson, jason statham, vin diesel, tom cruise, jackie chan, chan tu dan diep van, ip man, diep van, hoang phi hong, phuong the ngoc, thieu lam, ong bak, tony jaa, ma dong seok, lat mat, hai phuong, chien lang, diep vu, ke trom, cuop, bang dang, gangster, mafia, xa hoi den, giang ho cho moi, canh sat, bao thu, truy sat, truy kich, giai cuu, chien binh, chien tranh, linh bien, biet kich, sung, ban tia, super sentai, kamen rider, power rangers, gao, ultraman, sieu nhan gao, cao thu, vo si, samurai, ninja, gladiator, vo si giac dau, 300, troy, top gun, phi cong sieu dang, extraction, the meg, sherlock, sniper, commando, tu chien, sinh tu, truy tim, dien loan',
    ),
    terms(
      2,
      'nguoi hung, nhiem vu, ke san, sat, doi dac nhiem, noi gian, trom, danh, chien doi, phan dien, toi pham, the gioi ngam, ke thu, vu khi, thuyen truong, hai tac, cuop bien, cong ly, lien minh, anh hung',
    ),
    terms(1, 'toc do, trum, doi, san, khong gian, chien, dac biet'),
  ],
  Comedy: [
    terms(
      3,
      'hai, hai kich, tieu pham, danh hai, hoai linh, tran thanh, truong giang, chi tai, viet huong, thuy nga, thu trang, tien luat, huynh lap, xuan hinh, xuan bac, tu long, cong ly hai, quang thang, van dung, bao chung, bao quoc, tan beo, hong to, kieu oanh, le hoang, tao quan, gap nhau cuoi nam, gap nhau cuoi, phim hai, comedy, funny, mr bean, home alone, o nha mot minh, ted, johnny english, scary movie, american pie, hangover, white chicks, dumb and dumber, ngo manh dat, thanh phu, gai gia lam chieu, bo gia, cua lai vo bau, em chua 18, cuoi, vui nhon, hai huoc',
    ),
    terms(2, 'dai ca, chang ngoc, ngo ngao, sieu quay, lay loi, dep trai, hai hung, la so'),
  ],
  Romance: [
    terms(
      3,
      'tinh yeu, yeu em, yeu anh, toi yeu, yeu, chuyen tinh, moi tinh, tinh dau, nguoi tinh, nguoi yeu, ngot ngao, lang man, dinh menh, hen uoc, hon nhan, ket hon, dam cuoi, le cuoi, cuoi, hon le, nu hon, hon, trai tim, con tim, tinh nhan, nho em, nho anh, ben em, ben anh, em la, anh la, thich em, thich anh, cung em, cung anh, cua em, cua anh, gap em, gap anh, si tinh, tinh cu, 365 ngay, 365 dni, 50 sac thai, fifty shades, twilight, chang vang, titanic, me before you, the notebook, la la land, love, kiss, wedding, romance, tinh duc, nguoi vo, co vo, vo oi, chong oi, tha thinh, hen ho, tuong tu, tinh ban dieu ky, dam yeu, duyen no, oan gia',
    ),
    terms(
      2,
      'tinh, em, thuong, tha thu, nho nhung, duyen, trai tim, loi hen, mua he, thanh xuan, ngay yeu, vo, chong',
    ),
  ],
  Drama: [
    terms(
      3,
      'phim truyen, phim bo, phim le, phim viet nam, phim thai, thai lan long tieng, phim an do, co dau 8 tuoi, phim phap, phim my, phim nhat, phim dai, harry potter, game of thrones, tro choi vuong quyen, breaking bad, prison break, vuot nguc, peaky blinders, stranger things, money heist, lord of the rings, chua te nhung chiec nhan, the crown, forrest gump, godfather, bo gia my, shawshank, nha tu shawshank, f4 thailand, huong vi tinh than, ve nha di con, nguoi phan xu, quynh bup be, thuong ngay nang ve, thuong ngay, nang dau, me chong, canh sat hinh su, ho so, mat xich, gia dinh, con gai, con trai, nguoi me, me cua, cha cua, cuoc doi, so phan, than phan, nghiet nga, bi kich, bi mat, ky uc, nhat ky, hoi uc, am muu, tham vong, duc vong, phan boi, ngoai tinh, tieu tam, ghen, hao mon, song gio, oan trai, mau thuan, song sinh, nghich canh, lua chon, tra gia, su that, thu tiet, bao ngam, thuyet minh, long tieng, vietsub, tap',
    ),
    terms(
      2,
      'nguoi, phan, chiec, la, canh, mua, dem, gio, con, nha, me, cha, doi, the, noi, xuan, bong, song, mat, nuoc, loi, nang, ngay, chi, hanh trinh, tuoi',
    ),
    terms(1, 'phim, trong, cua, nhung, cuoc, vo, mot, ve, va, tro, sau, tren, duoi'),
  ],
}

interface Terms {
  readonly weight: 1 | 2 | 3
  readonly words: readonly string[]
}

function terms(weight: Terms['weight'], words: string): Terms {
  return { weight, words: words.split(',').map((word) => word.trim()) }
}
