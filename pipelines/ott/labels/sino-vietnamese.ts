import { foldText } from './fold-text.ts'

// Titles of Chinese series are read in Vietnam syllable by syllable, as Sino-Vietnamese: `Trường Ca Hành`, `Cẩm Tú Vị Ương`. Vietnamese titles have words of daily
// speech in them. Syllables of both kinds, from general knowledge of the language; many are in either, and those are in neither list.

const SINO = words(`
  an ân ảnh băng bạch bách bảo bất bích bình bộ bội cẩm cảnh cầm cát cố cổ công cung cửu chân chấn chi chiêu chiến chu chúng chương chước cơ côn cương cường
  danh dao di dị diễm diệm diễn diệp diệu du dục duệ duyên dực dương đại đàm đao đạo đế đế điệp điển định độ độc đô đông đường gia giai giang giao giản hạ hạc hải hàm hàn hàng hành
  hạo hậu hi hiên hiệp hiểu hoa hỏa hoàn hoàng hoành học hồ hồng huân huệ hùng huyền huyết huynh hư hương hữu hy khả khải khanh khâm khinh khoa khôi khuynh khúc khuyết kiếm kiêu kiều kim kinh kính kỳ ký kỵ
  la lạc lam lan lang lăng lâm lân lâu lê lệ liên liễu linh lĩnh long lộ lộc luân luyến lục lữ lương lưu ly lý mạc mãn mạn mạnh mặc mẫu mê miên minh mộ mộc môn mộng mục mỹ nam nạp nghi nghĩa nghịch nghiên ngộ
  ngôn ngọc ngư ngự nguyên nguyện nguyệt nhai nhân nhan nhàn nhạn nhất nhật nhi nhĩ nhị nhiên nhu như nhược niên niệm ninh nương oanh phách phàm phán phi phiêu phong phòng phù phụ phúc phục phụng phương phượng quân quận quang quảng quán
  quốc quý quyết quyền quỳnh sách sầm san sát sắc sinh sơn song sở sử tà tà tài tam tán tàng táng tần tân tận tâm thạch thái thanh thành thánh thám thảo thẩm thân thần thập thất thế thê thi thì thích thiên thiện thiếp thiết thiếu thiều
  thịnh thôn thống thời thu thủ thuật thư thục thủy thuyết thương thường thượng tiên tiêu tiểu tiếu tiết tích tiền tiệm tinh tình tĩnh tô tông tống tổng tộc trác trạch trầm trần trấn tranh trang tri trì trí triều triệu trọng trúc truyện trung trưởng trường
  truy truyền tú tu tuân tuyết tuyệt tuyên tuần tuyển túc tung tùng tùy từ tư tử tự tứ tương tướng tường tượng tửu uẩn uyên uyển ứng ưu vạn văn vân vấn vệ vi vĩ viên viễn việt vị vinh vĩnh vô vong vọng vũ vương vượng xà xuyên xuân y ý yên yến yêu
`)

const NATIVE = words(`
  anh em tôi mình bạn chúng ta họ nó ai gì nào sao đâu này kia ấy đó đây các những mỗi mọi cái con chiếc người kẻ đứa cô chú bác ông bà cha mẹ bố ba má chị cậu mợ dì vợ chồng con cháu nhà cửa làng quê phố đường xóm chợ
  ăn uống ngủ nói cười khóc nhìn nghe thấy biết hiểu yêu thương nhớ ghét giận hờn đi đến về lại ra vào lên xuống qua chạy bay ngồi đứng nằm làm cho lấy bỏ gặp tìm mất còn có không chẳng đừng chưa đã đang sẽ vẫn cứ mới vừa rồi nữa thì là mà và với của trong ngoài trên dưới giữa
  sau trước bên cạnh khi nếu vì nên để bằng như hơn nhất rất quá lắm thật ngày đêm sáng trưa chiều tối hôm nay mai qua năm tháng tuần mùa nắng mưa gió bão mây trời đất nước sông biển rừng núi đồi cây lá cỏ hoa quả đỏ xanh trắng đen vàng tím hồng to nhỏ lớn bé dài ngắn cao thấp
  đẹp xấu tốt vui buồn đau khổ ngọt đắng cay nóng lạnh mắt mũi miệng tay chân đầu tóc tim lòng máu mặt đời sống chết một hai ba bốn bảy tám chín mười trăm nghìn tuổi lời tiếng tên chuyện điều việc cuộc nỗi niềm sự dâu rể gái trai
`)

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/))
}

/** Without accents a syllable says less: those that both lists could mean say nothing. */
const BARE_NATIVE = new Set([...NATIVE].map(foldText))
const BARE_SINO = new Set([...SINO].map(foldText).filter((word) => !BARE_NATIVE.has(word)))
const BARE_ONLY_NATIVE = new Set(
  [...BARE_NATIVE].filter((word) => ![...SINO].some((sino) => foldText(sino) === word)),
)

const ACCENT = /[^\p{ASCII}]/u

/** From -1, all words of daily speech, to 1, all Sino-Vietnamese; 0 for what is neither. `keyword` as it was typed. */
export function sinoVietnameseShare(keyword: string): number {
  const typed = keyword.normalize('NFC').toLowerCase()
  const hasAccents = ACCENT.test(typed)
  const [sino, native] = hasAccents ? [SINO, NATIVE] : [BARE_SINO, BARE_ONLY_NATIVE]
  const syllables = typed.split(/[^\p{L}]+/u).filter((syllable) => syllable !== '')
  let sum = 0
  for (const syllable of syllables) sum += native.has(syllable) ? -1 : sino.has(syllable) ? 1 : 0
  return syllables.length === 0 ? 0 : sum / syllables.length
}
