/** Words of the SQL page. */
export const SQL_WORDS = {
  format: ['Format', 'Định dạng'],
  stop: ['Stop', 'Dừng'],
  asking: ['asking …', 'đang hỏi …'],
  myQueries: ['My queries', 'Câu hỏi của tôi'],
  ofPipelines: ['Of the pipelines', 'Của các pipeline'],
  asked: ['Asked before', 'Đã hỏi'],
  saveQuery: ['Save', 'Lưu'],
  saveAs: ['Name for this query', 'Tên cho câu hỏi này'],
  forgetQuery: ['Forget', 'Xoá'],
  tableNames: ['Tables to ask', 'Bảng có thể hỏi'],
  chartKind: ['Kind of chart', 'Loại biểu đồ'],
  along: ['along', 'trục ngang'],
  up: ['up', 'trục dọc'],
  kindBar: ['bars', 'cột'],
  kindLine: ['line', 'đường'],
  kindArea: ['area', 'vùng'],
  kindLies: ['list', 'danh sách'],
  noRowsFound: ['The question is answered, with no rows.', 'Đã có câu trả lời, không có dòng nào.'],
  sqlHelp: [
    'Ask any table: lake tables as layer.name (as they were with AT (VERSION => 3)), serving tables as serve.name, dead letters, system.ledger. Questions only read, and reach nothing but tables.',
    'Hỏi bất kỳ bảng nào: bảng trong hồ dữ liệu là layer.tên (phiên bản cũ với AT (VERSION => 3)), bảng phục vụ là serve.tên, thư chết, system.ledger. Câu hỏi chỉ đọc, và chỉ chạm đến các bảng.',
  ],
  cutOff: [
    'only the first rows are shown; a file has all',
    'chỉ hiện các dòng đầu; tệp xuất có tất cả',
  ],
} as const
